"""What Galera and a MariaDB server say of themselves: status, positions, views, files, logs. Text in, values out."""
