"""Event types: the canonical names (GA4's), what they mean, and the other names they are known by."""

EVENT_TYPES: dict[str, str] = {
    "page_view": "a page was shown",
    "page_ping": "the page is still being read; passive",
    "page_leave": "the page was left; passive",
    "click": "a link or an element was clicked",
    "search": "something was searched for",
    "view_item_list": "a list of products was shown",
    "select_item": "a product was picked from a list",
    "view_item": "a product's page was shown",
    "add_to_cart": "a product was put into the cart",
    "remove_from_cart": "a product was taken out of the cart",
    "view_cart": "the cart was shown",
    "begin_checkout": "the checkout was begun",
    "add_shipping_info": "the shipping address or method was given",
    "add_payment_info": "the payment method was given",
    "purchase": "an order was placed",
    "refund": "an order was refunded, in whole or in part",
    "sign_up": "an account was made",
    "login": "a user signed in",
    "custom": "the shop's own event; say what in props",
}

# Decided by whether a product is given: view_item if so, else page_view.
VIEW = "view"

PLAIN_ALIASES: dict[str, str] = {
    "checkout": "begin_checkout",
    "product_view": "view_item",
    "checkout_complete": "purchase",
}

SEGMENT_ALIASES: dict[str, str] = {
    "Page Viewed": "page_view",
    "Products Searched": "search",
    "Product List Viewed": "view_item_list",
    "Product Clicked": "select_item",
    "Product Viewed": "view_item",
    "Product Added": "add_to_cart",
    "Product Removed": "remove_from_cart",
    "Cart Viewed": "view_cart",
    "Checkout Started": "begin_checkout",
    "Payment Info Entered": "add_payment_info",
    "Order Completed": "purchase",
    "Order Refunded": "refund",
    "Order Cancelled": "refund",
    "Signed Up": "sign_up",
    "Signed In": "login",
}

# Every name a sender may use, with its canonical type; VIEW stands for itself.
CANONICAL: dict[str, str] = {
    **{name: name for name in EVENT_TYPES},
    **PLAIN_ALIASES,
    **SEGMENT_ALIASES,
    VIEW: VIEW,
}
