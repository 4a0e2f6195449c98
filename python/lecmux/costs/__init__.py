"""What answers cost: prices, the objective, and exact ledgers."""

from lecmux.costs.history import AnyPrice, DatedPrice, PriceHistory
from lecmux.costs.ledger import NANO, Account, Ledger, Line
from lecmux.costs.objective import Objective
from lecmux.costs.price_list import PriceList
from lecmux.costs.prices import Price

__all__ = [
    "NANO",
    "Account",
    "AnyPrice",
    "DatedPrice",
    "Ledger",
    "Line",
    "Objective",
    "Price",
    "PriceHistory",
    "PriceList",
]
