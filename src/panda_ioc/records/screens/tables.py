"""The table of a block: all columns, a button that submits what was edited, and how full it is.

Phoebus shows an NTTable and lets one edit cells, but sends nothing by itself. The button's script
puts the columns one by one, between MODE EDIT and MODE SUBMIT; the PandA checks them together.
"""

from collections.abc import Iterable

from panda_ioc.device.model import Field
from panda_ioc.device.tables import TableColumn, TableLayout
from panda_ioc.records.screens.controls import ScreenRecords
from panda_ioc.records.screens.layout import MARGIN, MAX_WIDTH, Row, Section
from panda_ioc.records.screens.text import width
from panda_ioc.records.screens.widgets import Label, Run, TableWidget, Update, WidgetColumn

HEIGHT = 300
SCROLL_BAR = 20  # pixels that the table's own takes
# Text in tables is larger than elsewhere: what is seen in Phoebus 5.0.5.
TEXT_SCALE, CELL_MARGIN = 1.1, 6
UNSET = 80  # a column of that width gets another one: to JavaFX it is the default
_OWN = ("COLUMNS", "LABELS", "MODE", "PUT", "PV")

_SUBMIT = """\
import sys
from jarray import array
from java.lang import String
from org.csstudio.display.builder.runtime.script import PVUtil, ScriptUtil

TIMEOUT = 5000  # milliseconds
widget_with_table = ScriptUtil.findWidgetByName(widget, {widget!r})
table = ScriptUtil.getPrimaryPV(widget_with_table).getName(){to_record}
columns = {columns!r}
rows = widget_with_table.getValue()
try:
    PVUtil.writePV(table + ":MODE", "EDIT", TIMEOUT)
    for number, (name, is_number) in enumerate(columns):
        cells = [row.get(number) for row in rows]
        if is_number:
            values = array([float(cell) for cell in cells], "d")
        else:
            values = array(cells, String)
        PVUtil.writePV(table + ":" + name, values, TIMEOUT)
    PVUtil.writePV(table + ":MODE", "SUBMIT", TIMEOUT)
except:  # errors of Java are not Python's Exception
    ScriptUtil.showErrorDialog(widget, "The table was not accepted: %s" % sys.exc_info()[1])
    PVUtil.writePV(table + ":MODE", "DISCARD", TIMEOUT)
"""

_DISCARD = """\
from org.csstudio.display.builder.runtime.script import ScriptUtil

table = ScriptUtil.findWidgetByName(widget, {widget!r})
table.setValue(ScriptUtil.getPrimaryPV(table).read())
"""


def table_section(served: ScreenRecords, field: Field, layout: TableLayout) -> Section:
    """Return the part of a block's screen that shows a table."""
    columns = tuple(_column(column) for column in layout.columns)
    wanted = sum(column.width for column in columns) + SCROLL_BAR
    table = TableWidget(
        pv=served.pv(layout.name, "pva"),
        name=layout.name.partition(":")[2],
        columns=columns,
        width=min(max(wanted, 400), MAX_WIDTH - 2 * MARGIN),
        height=HEIGHT,
        tip=field.info.description or "",
    )
    return Section(
        field.name, (_buttons(served, table.name, layout), *_more(served, layout), [table])
    )


def _column(column: TableColumn) -> WidgetColumn:
    texts = (*column.labels, *(str(limit) for limit in column.limits))
    widest = max(width(column.name, bold=True), *map(width, texts))
    size = round(TEXT_SCALE * widest) + CELL_MARGIN
    return WidgetColumn(
        name=column.name,
        width=size + 1 if size == UNSET else size,
        options=column.labels,
    )


def _buttons(served: ScreenRecords, name: str, layout: TableLayout) -> Row:
    columns = [(column.name, not column.labels) for column in layout.columns]
    used = served.pv(f"{layout.name}:{layout.columns[0].name}.NORD")
    return [
        Run(
            text="Submit",
            script=_SUBMIT.format(widget=name, columns=columns, to_record=served.names.to_record),
            width=80,
            tip="Send what was edited to the PandA",
        ),
        Run(
            text="Discard",
            script=_DISCARD.format(widget=name),
            width=80,
            tip="Show again what the PandA has",
        ),
        20,
        Label(text="Rows used", width=72),
        Update(pv=used, width=70),
        Label(text=f"of {layout.max_rows}", width=90),
    ]


def _more(served: ScreenRecords, layout: TableLayout) -> Iterable[Row]:
    """Return the other records of the table, which streaming needs."""
    columns = {column.name for column in layout.columns}
    names = [
        name
        for name in served.specs
        if name.startswith(f"{layout.name}:")
        if name.count(":") == layout.name.count(":") + 1
        if name.rpartition(":")[2] not in {*columns, *_OWN}
    ]
    yield from served.pairs(names, layout.name)
