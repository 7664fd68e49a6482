"""What runs have left in their folders, told again: one run as a page, several side by side.

Nothing here loads a model or starts TensorFlow.
"""

from gdl_keras.reports.account import Account, account_of
from gdl_keras.reports.comparison import comparison
from gdl_keras.reports.page import compare, report

__all__ = ["Account", "account_of", "compare", "comparison", "report"]
