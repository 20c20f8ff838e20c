"""Tables as words and as columns."""

from panda_ioc.device.tables import UnpackedArray, table_to_words, words_to_table
from panda_ioc.protocol.responses import TableFieldInfo

__all__ = ["TableFieldInfo", "UnpackedArray", "table_to_words", "words_to_table"]
