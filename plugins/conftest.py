"""What tests of plugins share: the kit that authors elsewhere get too."""

pytest_plugins = ["core.testing"]
