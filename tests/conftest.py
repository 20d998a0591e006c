"""Fixtures of all tests. The plugin imports engines only inside its fixtures, so it loads in both environments."""

pytest_plugins = ["tests.engines"]
