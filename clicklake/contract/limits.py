"""The limits of requests and events. Sizes are bytes, lengths are Unicode code points."""

CONTRACT_VERSION = 1

# Of a request; a request over one of these is answered with 413 and nothing is written.
MAX_REQUEST_BYTES = 4 * 1024 * 1024
MAX_INFLATED_BYTES = 16 * 1024 * 1024
MAX_EVENTS = 500

# Of an event; an event over one of these is refused alone.
MAX_EVENT_BYTES = 32 * 1024
MAX_DEPTH = 200
MAX_ITEMS = 200
MAX_OWN_PROPS = 20

MAX_ID_LENGTH = 64
MAX_SHOP_ID_LENGTH = 256
MAX_TEXT_LENGTH = 2_048
MAX_URL_LENGTH = 8_192
MAX_OWN_KEY_LENGTH = 64
MAX_OWN_VALUE_LENGTH = 1_024

MAX_INT32 = 2**31 - 1
# The greatest integer that every JSON reader keeps exactly (RFC 8259, section 6).
MAX_SAFE_INTEGER = 2**53 - 1
