"""Stand-ins for the WebUI's own modules: only what an extension's page, settings and paste meet, behaving as the WebUI's do."""
