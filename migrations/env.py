"""The one Alembic environment, of core and of every plugin; plugins ship revision files only."""

from core.host.environment import run

run()
