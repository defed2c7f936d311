"""The header fields of the request."""

from wit_world.fields import Fields

fields = Fields()
"""For tests to give: fields.give("Cookie", "a=1")."""

reset = fields.clear
get = fields.get
names = fields.names
all = fields.all
set = fields.set
append = fields.append
remove = fields.remove
set_all = fields.set_all
