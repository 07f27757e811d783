"""The pure rules as a specification: no network, no root, no database, every Python from 3.9 on."""
