"""What answers cost: prices, the objective, and exact ledgers."""

from lecmux.costs.ledger import NANO, Account, Ledger
from lecmux.costs.objective import Objective
from lecmux.costs.prices import Price

__all__ = ["NANO", "Account", "Ledger", "Objective", "Price"]
