"""The operations pages: templates, islands, static files, and the router that serves them."""
