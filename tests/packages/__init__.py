"""The Debian and RPM packages: built, judged by lintian and rpmlint, and lived with in the roots of other systems."""
