"""The pure rules as a specification: no network, no root, no database, and every Python from 3.9 on."""
