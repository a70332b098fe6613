"""From override strings to checked settings, and the tables of all toggles."""
