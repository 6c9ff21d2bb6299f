"""A working day of the desk in real browsers: its clock, its people, its steps."""
