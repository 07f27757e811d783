"""What Galera and a MariaDB server report: status, positions, views, files and logs. Text in, values out."""
