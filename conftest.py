# The plugin under test comes by its entry point; naming it here would load it twice.
pytest_plugins = ["pytester"]
