"""What the city offers: the plan as data, its rules, and its words in six languages."""
