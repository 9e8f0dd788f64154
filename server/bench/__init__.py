"""How many calls a machine carries: a load generator and the service that it is turned on."""
