"""How a flow run ends: its state, its alarms, the process that waits for it."""
