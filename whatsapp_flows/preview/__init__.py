"""A Flow in the browser: a page that plays a Flow JSON file, and follows it while it is edited."""
