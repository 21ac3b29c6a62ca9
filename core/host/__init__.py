"""The plugin host: finds plugins, loads them in order, and keeps a broken one from everybody else."""
