"""One file a transport; each is offered through the ``mail_transports`` hook."""
