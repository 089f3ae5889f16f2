"""Who issues commands besides the rules: the guard, the planner and the operator, as they are stored beside a command.

An id stands where a rule's id would, a key where the address of its settings would.
"""

GUARD_ID, GUARD_KEY = "GUARD", "guard.0"  # What answers a new exposure or entry order during a lockout (guard.py).
PLANNER_ID, PLANNER_KEY = "PLANNER", "planner.0"  # What carries commands out (planner_commands.py).
OPERATOR_ID, OPERATOR_KEY = "OPERATOR", "operator.0"  # The person at the desk (operator.py).
TITLES = {
    GUARD_ID: "New exposure or an entry order during a lockout",
    PLANNER_ID: "What carrying out a command asks for",
    OPERATOR_ID: "What the operator asked for",
}
