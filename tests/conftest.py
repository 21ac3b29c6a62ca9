"""What all tests share: the kit that plugin authors get too."""

pytest_plugins = ["core.testing"]
