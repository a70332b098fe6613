"""One file for each library or format; a module that is put here is loaded with the table."""
