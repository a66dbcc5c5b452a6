"""Stand-ins for the WebUI's own modules: what an extension's page, settings and paste meet, behaving as there."""
