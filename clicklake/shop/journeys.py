"""What visitors do: a visit is walked page by page; nothing here knows how it is sent.

A visit is a record of what happened, by true time. wire.py makes requests of it, with all the faults of
the road; whoever wants the truth reads the visits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from clicklake.shop.arrivals import Arrival
from clicklake.shop.catalogue import (
    SEARCH_TERMS,
    Product,
    categories_by_wish,
    found_by,
    local_cents,
    products,
    products_by_wish,
    shelf,
    shelf_by_wish,
    slug,
)
from clicklake.shop.chance import Chance, Weighted
from clicklake.shop.visitors import DAY_MS, HOUR_MS, Bot, Person, Visitor

ORIGIN = "https://shop.example"
SHOP_NAME = "Byteworks"

# A session ends after 30 minutes without an event; a tab left open longer makes two of one visit.
IDLE_MS = 1_800_000
FREE_SHIPPING_CENTS = 7_500
SHIPPING_CENTS = 490
EXPRESS_CENTS = 990
# In percent of each item's price.
COUPONS: Mapping[str, int] = {"WELCOME10": 10, "DESK5": 5, "THANKS15": 15}
# Taken off the order as a whole.
VOUCHER, VOUCHER_CENTS = "GIFT10", 1_000
SALE_COUPON = "SALE20"
SALE_CATEGORIES = frozenset({"Keyboards", "Mice", "Headsets", "Monitors", "Storage"})
SALE_PERCENT = 15
LIST_LENGTH = 6
MAX_PAGES = 24


@dataclass(frozen=True, slots=True)
class Line:
    """A product in a list, a cart or an order. `price_cents` is of one, after every reduction, in hundredths of
    the visitor's currency; `discount_cents` is what a coupon took off the whole line."""

    product: Product
    price_cents: int
    variant: str = ""
    qty: int = 1
    discount_cents: int = 0
    list_name: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """`voucher_cents` come off the goods as a whole, coupons are in the lines' prices; tax and shipping come on
    top. All in hundredths of `currency`."""

    order_id: str
    ordered_at_ms: int
    lines: tuple[Line, ...]
    voucher_cents: int
    tax_cents: int
    shipping_cents: int
    coupon: str
    currency: str

    @property
    def value_cents(self) -> int:
        return sum(line.price_cents * line.qty for line in self.lines) - self.voucher_cents


@dataclass(frozen=True, slots=True)
class Refund:
    """`value_cents` is what was given back; `told_cents` what the page tells of it: nothing, or too much."""

    refund_id: str
    order: Order
    value_cents: int
    told_cents: int | None


@dataclass(frozen=True, slots=True)
class Claim:
    """An order to be sent back: `part` is one line of it, `rest` what is left after that, `cancel` all of it
    before it is shipped. `given_cents` were given back before."""

    order: Order
    kind: str
    given_cents: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    page_view_id: str
    kind: str
    url: str
    title: str
    referrer: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a page. `person` was signed in then; `props` are the contract's.

    `analytics` is the visitor's consent in that moment; `is_cut_off`: there was no network just then.
    """

    event_id: str
    happened_at_ms: int
    event_type: str
    page: Page
    person: Person | None
    analytics: str = "granted"
    is_cut_off: bool = False
    props: Mapping[str, object] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    order: Order | None = None
    refund: Refund | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What a visitor brings from earlier visits."""

    visits: int = 0
    cart: tuple[Line, ...] = ()
    claim: Claim | None = None
    has_account: bool = False
    has_bought: bool = False
    has_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Return:
    """The next visit: when, and with what history."""

    starts_at_ms: int
    history: History


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of one visitor, events in order of time. `returns` is None for the last visit."""

    visitor: Visitor
    history: History
    arrival: Arrival
    events: tuple[Event, ...]
    order: Order | None
    refund: Refund | None
    returns: Return | None

    @property
    def started_at_ms(self) -> int:
        return self.events[0].happened_at_ms

    @property
    def ended_at_ms(self) -> int:
        return self.events[-1].happened_at_ms

    @property
    def name(self) -> str:
        return f"{self.visitor.key}/{self.history.visits}"

    def sender_id(self, event: Event) -> str:
        """What the browser calls itself: without consent an id that lives as long as the visit's page load."""
        visitor = self.visitor
        if event.analytics == "granted":
            return visitor.anonymous_id
        return Chance(visitor.seed, "fleeting", self.name).uuid()


# Where the next click goes; a page that is not possible (an empty cart) becomes a list.
_NEXT = {
    "home": Weighted([("list", 0.55), ("search", 0.2), ("product", 0.25)]),
    "list": Weighted([("product", 0.62), ("list", 0.24), ("search", 0.09), ("home", 0.05)]),
    "search": Weighted([("product", 0.66), ("search", 0.16), ("list", 0.14), ("home", 0.04)]),
    "product": Weighted([("product", 0.27), ("list", 0.4), ("search", 0.15), ("home", 0.08), ("info", 0.1)]),
    "cart": Weighted([("list", 0.45), ("product", 0.35), ("home", 0.2)]),
    "info": Weighted([("product", 0.5), ("list", 0.4), ("home", 0.1)]),
}
_LEAVING = {"home": 0.17, "list": 0.16, "search": 0.17, "product": 0.235, "cart": 0.3, "info": 0.26}
_DWELL_SECONDS = {"home": 11, "list": 18, "search": 14, "product": 28, "cart": 20, "info": 25, "checkout": 38}
_INFO_PAGES = (
    ("/shipping", "Shipping and delivery"),
    ("/returns", "Returns"),
    ("/guides/choose-a-monitor", "How to choose a monitor"),
    ("/guides/quiet-keyboards", "Quiet keyboards"),
)
_GATEWAYS = Weighted(
    [("https://www.paypal.com/", 5), ("https://checkout.stripe.com/", 3), ("https://pay.klarna.com/", 2)]
)
# Pages of a bot's visit, milliseconds on each, and the share of products among them.
_CRAWLS: Mapping[Bot, tuple[tuple[int, int], int, float]] = {
    Bot.DECLARED: ((3, 9), 2_000, 0.75),
    Bot.BEHAVING: ((8, 20), 5_000, 0.6),
    Bot.SCRAPER: ((40, 110), 700, 0.95),
}
_PATCHY_VISITS = 0.055
# The network is gone from before the third page until before the fourth.
_CUT_OFF_PAGE, _BACK_ONLINE_PAGE = 2, 3
_WISH_BY_DEVICE = {"desktop": 1.25, "mobile": 0.8, "tablet": 0.95, "bot": 0.0}


def walk(visitor: Visitor, history: History, arrival: Arrival, starts_at_ms: int, is_sale: bool) -> Visit:
    """Walks one visit to its end and decides on the next one."""
    chance = visitor.chance(history.visits)
    steps = _Walk(visitor, history, arrival, starts_at_ms, is_sale, chance)
    if visitor.is_bot:
        steps.crawl()
    elif history.claim:
        steps.send_back(history.claim)
    else:
        steps.shop()
    return Visit(
        visitor,
        history,
        arrival,
        tuple(steps.events),
        steps.order,
        steps.refund,
        None if visitor.is_bot else _next_visit(steps),
    )


class _Walk:
    """One visit under way: `now` moves on, events are noted."""

    def __init__(
        self,
        visitor: Visitor,
        history: History,
        arrival: Arrival,
        starts_at_ms: int,
        is_sale: bool,
        chance: Chance,
    ) -> None:
        self.visitor = visitor
        self.history = history
        self.arrival = arrival
        self.is_sale = is_sale
        self.chance = chance
        self.now = starts_at_ms
        self.events: list[Event] = []
        self.cart = list(history.cart)
        self.order: Order | None = None
        self.refund: Refund | None = None
        self.page: Page | None = None
        self.last_url = ""
        self.stayed_ms = 0
        self.scrolled = 0
        self.list: tuple[Line, ...] = ()
        self.chosen: Line | None = None
        self.looked_at: Line | None = None
        self.category = chance.one_of(visitor.interests)
        self.has_account = bool(visitor.people) and (visitor.has_account or history.has_account)
        self.analytics = "denied" if history.has_withdrawn else visitor.analytics
        # A train: the network goes for a page or two in the middle of the visit, and pauses become long.
        self.is_patchy = self.analytics == "granted" and chance.happens(_PATCHY_VISITS)
        self.is_cut_off = False
        self.has_paused = self.is_patchy
        self.open_tabs: list[tuple[Page, int, int]] = []
        self.currency = visitor.country.currency
        self.person: Person | None = None
        self.is_shared = len(visitor.people) > 1
        if self.has_account and chance.happens(0.85 if self.is_shared else 0.5):
            self.person = chance.one_of(visitor.people)
        returning = 1.45 if history.visits else 1.0
        sale = 1.4 if is_sale else 1.0
        self.wish = visitor.wish * arrival.channel.intent * returning * sale
        self.wish *= _WISH_BY_DEVICE[visitor.device.device_type]

    # Journeys

    def shop(self) -> None:
        kind = self.chance.pick(self.arrival.channel.landing)
        if self.history.cart and self.chance.happens(0.2):
            kind = "cart"
        if (
            kind != "cart"
            and not self.is_patchy
            and self.chance.happens(self.arrival.channel.bounce * (0.85 if self.history.visits else 1.12))
        ):
            self.open(kind)
            self.stay(kind, seconds=self.chance.around(4.5, 0.7))
            self.leave()
            return
        for number in range(MAX_PAGES):
            if self.is_patchy:
                self.ride_on(number)
            if kind == "checkout":
                if self.check_out():
                    break
                kind = "cart" if self.chance.happens(0.3) else "home"
                if self.chance.happens(0.75):
                    break
                continue
            self.open(kind)
            self.stay(kind)
            if kind == "product":
                self.consider()
            if self.is_shared and self.person and self.chance.happens(0.03):
                self.hand_over()
            elif self.person and self.chance.happens(0.012):
                self.sign_out()
            if self.analytics == "granted" and not self.is_patchy and self.chance.happens(0.002):
                self.withdraw()
            onward = self.onward(kind)
            if self.is_patchy and number <= _BACK_ONLINE_PAGE and onward in (None, "checkout"):
                onward = "list"
            if onward and not self.is_patchy and self.chance.happens(0.04):
                # The next page opens in another tab; this one is closed when they come back to it.
                self.open_tabs.append((self.page, self.stayed_ms, self.scrolled))
                self.page = None
            else:
                self.leave()
            if self.open_tabs and self.chance.happens(0.4):
                self.close_tab()
            if onward is None:
                break
            kind = onward
        if self.page:
            self.leave()
        while self.open_tabs:
            self.close_tab()

    def ride_on(self, number: int) -> None:
        """Before the `number`-th page of a patchy visit: into the tunnel, or out of it."""
        if number in (_CUT_OFF_PAGE, _BACK_ONLINE_PAGE):
            self.is_cut_off = number == _CUT_OFF_PAGE
            # Short of a session's end, but two of these are not.
            self.now += int(self.chance.between(0.53, 0.93) * IDLE_MS)

    def crawl(self) -> None:
        """Page after page at an even pace, without a scroll or a pause."""
        pages, pace_ms, products = _CRAWLS[self.visitor.bot]
        kind = "home"
        for _ in range(self.chance.integer(*pages)):
            self.open(kind)
            self.now += pace_ms
            self.page = None
            kind = "product" if self.chance.happens(products) else "list"

    def send_back(self, claim: Claim) -> None:
        """A refund or a cancellation in the customer's account. The page is sometimes loaded again, and tells of
        the same refund once more."""
        order = claim.order
        self.open("account", "/account/returns", "Your returns")
        self.stay("checkout")
        remains = order.value_cents - claim.given_cents
        if claim.kind == "part":
            line = order.lines[0]
            value = min(remains, line.price_cents * line.qty)
        else:
            value = remains
        told = {"cancel": None, "part": value}.get(claim.kind, order.value_cents)
        self.refund = Refund(f"R-{order.order_id}-{claim.kind}", order, value, told)
        self.note("refund", refund=self.refund)
        if self.chance.happens(0.1):
            self.now += int(self.chance.between(2_000, 20_000))
            self.note("refund", refund=self.refund)
        self.stay("home")
        self.leave()

    # Pages

    def open(self, kind: str, path: str = "", title: str = "") -> None:
        landing = not self.events
        line: Line | None = None
        if kind == "product":
            line = self.choose()
            path, title = line.product.path, line.product.name
        elif kind == "list":
            if landing or not self.chance.happens(0.6):
                self.category = self.wanted_category()
            path, title = f"/category/{slug(self.category)}", self.category
            if not landing and self.chance.happens(0.15):
                path += "?page=2"
        elif kind == "search":
            term = self.chance.pick(SEARCH_TERMS)
            path, title = f"/search?q={term.replace(' ', '+')}", f"Search: {term}"
        elif kind == "info":
            path, title = self.chance.one_of(_INFO_PAGES)
        elif kind == "home":
            path, title = "/", "Computers and accessories"
        elif kind == "cart":
            path, title = "/cart", "Your cart"
        if landing and self.arrival.query:
            path += ("&" if "?" in path else "?") + self.arrival.query
        referrer = self.arrival.referrer if landing else self.last_url
        self.page = Page(self.chance.uuid(), kind, ORIGIN + path, f"{title} | {SHOP_NAME}", referrer)
        self.last_url = self.page.url
        props: dict[str, object] = {"page_kind": kind}
        if kind in ("cart", "checkout"):
            props["checkout_layout"] = "short" if self.visitor.anonymous_id[0] < "8" else "long"
        self.note("page_view", props)
        if kind == "product" and line:
            self.note("view_item", lines=(line,))
            self.looked_at = line
        elif kind == "list":
            first = 6 if "page=2" in path else 0
            self.show(shelf(self.category)[first : first + LIST_LENGTH], self.category)
        elif kind == "search":
            results = found_by(term)
            self.note("search", {"search_query": term, "results_count": len(results)})
            self.show(results[:LIST_LENGTH], "Search results")
        elif kind == "home":
            self.list = ()
        elif kind == "cart":
            self.note("view_cart", lines=tuple(self.cart))

    def show(self, products: tuple[Product, ...], list_name: str) -> None:
        self.list = tuple(
            Line(product, self.price(product), list_name=list_name, position=place)
            for place, product in enumerate(products, 1)
        )
        if self.list:
            self.note("view_item_list", lines=self.list)

    def stay(self, kind: str, seconds: float | None = None) -> None:
        """Time on the page, seldom with a pause in it: the tab stays open and nobody looks."""
        if seconds is None:
            seconds = self.chance.around(_DWELL_SECONDS.get(kind, 20), 0.75)
        self.stayed_ms = int(min(max(seconds, 0.8), 900) * 1000)
        self.scrolled = self.chance.integer(1, 10) * 10
        if self.stayed_ms > 20_000 and self.chance.happens(0.3):
            self.now += 15_000
            self.note("page_ping", {"engaged_ms": 15_000, "scroll_pct": self.scrolled // 2})
            self.now += self.stayed_ms - 15_000
        else:
            self.now += self.stayed_ms
        if kind != "checkout" and not self.has_paused and len(self.events) > 5 and self.chance.happens(0.06):
            self.has_paused = True
            self.now += int(self.chance.between(0.7, 3.0) * IDLE_MS)

    def leave(self) -> None:
        """Closes the page. Some browsers die without a word."""
        if self.page and not self.chance.happens(0.06):
            engaged = int(self.stayed_ms * self.chance.between(0.75, 1.0))
            self.note("page_leave", {"engaged_ms": engaged, "scroll_pct": self.scrolled})
        self.page = None

    def close_tab(self) -> None:
        """Goes back to the oldest tab and closes it; what was open stays so."""
        shown, stayed_ms, scrolled = self.page, self.stayed_ms, self.scrolled
        self.page, self.stayed_ms, self.scrolled = self.open_tabs.pop(0)
        self.now += int(self.chance.between(500, 9_000))
        self.leave()
        self.page, self.stayed_ms, self.scrolled = shown, stayed_ms, scrolled

    def onward(self, kind: str) -> str | None:
        """The next page, noting the click that leads there; None when the visitor has had enough."""
        if self.cart and kind == "cart":
            if self.chance.happens(min(0.8, 0.47 * self.wish**0.2)):
                return "checkout"
        elif self.cart and kind == "product" and self.chance.happens(0.5):
            return "cart"
        if self.chance.happens(_LEAVING[kind]):
            if self.cart and kind != "cart" and self.chance.happens(0.3):
                return "cart"
            return None
        following = self.chance.pick(_NEXT[kind])
        if following == "product" and self.list and kind in ("list", "search"):
            place = min(int(self.chance.random() ** 1.6 * len(self.list)), len(self.list) - 1)
            self.chosen = self.list[place]
            self.note("select_item", lines=(self.list[place],))
        elif following in ("list", "home", "info") and self.chance.happens(0.35):
            self.note("click", {"element_id": f"nav-{following}", "link_url": f"{ORIGIN}/"})
        return following

    # Products

    def wanted_category(self) -> str:
        if self.chance.happens(0.55):
            return self.chance.one_of(self.visitor.interests)
        return self.chance.pick(categories_by_wish())

    def choose(self) -> Line:
        """The product of the next product page: the one clicked on, else what visitors want."""
        chosen, self.chosen = self.chosen, None
        product = chosen.product if chosen else None
        if product is None:
            whole = self.chance.happens(0.35)
            if self.visitor.bot is Bot.SCRAPER:
                product = self.chance.one_of(products())
            else:
                product = self.chance.pick(products_by_wish() if whole else shelf_by_wish(self.wanted_category()))
        variant = self.chance.one_of(product.variants) if product.variants else ""
        return Line(product, self.price(product), variant)

    def price(self, product: Product) -> int:
        cents = product.price_cents
        if self.is_sale and product.category in SALE_CATEGORIES:
            cents = cents * (100 - SALE_PERCENT) // 100
        return local_cents(cents, self.currency)

    def consider(self) -> None:
        """On a product page: look at pictures, read on, put it into the cart, or take it out again."""
        line = self.looked_at
        if self.chance.happens(0.2):
            self.note("click", {"element_id": self.chance.one_of(("gallery", "reviews", "details", "compare"))})
        affordable = min(1.5, (4_000 / line.product.price_cents) ** 0.36)
        buying = 2.5 if self.cart else 1.0
        if self.chance.happens(min(0.6, 0.064 * self.wish * affordable * buying)):
            qty = 1 if line.product.price_cents > 6_000 or self.chance.happens(0.8) else self.chance.integer(2, 4)
            bought = Line(line.product, line.price_cents, line.variant, qty)
            self.now += int(self.chance.between(300, 2_500))
            self.put_into_cart(bought)
            self.note("add_to_cart", lines=(bought,))
            if self.chance.happens(0.05):
                self.now += int(self.chance.between(4_000, 20_000))
                self.cart = [line for line in self.cart if not _is_same(line, bought)]
                self.note("remove_from_cart", lines=(bought,))

    def put_into_cart(self, bought: Line) -> None:
        """A product that is in the cart already, in this variant, becomes more of it."""
        for place, line in enumerate(self.cart):
            if _is_same(line, bought):
                self.cart[place] = replace(bought, qty=line.qty + bought.qty)
                return
        self.cart.append(bought)

    # Checkout

    def sign_in(self) -> None:
        people = self.visitor.people
        if self.person or not people or not self.chance.happens(0.85):
            return
        self.person = self.chance.one_of(people)
        self.note("login" if self.has_account else "sign_up", {"method": "password"})
        self.has_account = True

    def sign_out(self) -> None:
        self.note("click", {"element_id": "sign-out"})
        self.person = None

    def withdraw(self) -> None:
        """They withdraw their consent; from here on nothing is stored of them."""
        self.note("click", {"element_id": "privacy-settings"})
        self.analytics = "denied"

    def hand_over(self) -> None:
        """The other one of a shared device signs in."""
        self.person = next(person for person in self.visitor.people if person is not self.person)
        self.note("login", {"method": "password"})

    def check_out(self) -> bool:
        """The steps to the order; False when the visitor turns away on the way."""
        self.open("checkout", "/checkout/address", "Address")
        lines = tuple(self.cart)
        self.note("begin_checkout", lines=lines)
        self.stay("checkout")
        self.sign_in()
        if not self.chance.happens(0.64):
            self.leave()
            return False
        self.note("add_shipping_info", {"shipping_tier": "standard"}, lines=lines)
        self.leave()
        self.open("checkout", "/checkout/payment", "Payment")
        self.stay("checkout")
        if not self.chance.happens(0.72):
            self.leave()
            return False
        self.note("add_payment_info", lines=lines)
        gateway = self.chance.pick(_GATEWAYS) if self.chance.happens(0.5) else ""
        self.leave()
        if gateway:
            self.now += int(self.chance.between(25_000, 150_000))
            self.last_url = gateway
        if not self.chance.happens(0.95):
            return False
        self.open("thank_you", "/checkout/thank-you", "Thank you")
        self.order = self.place_order()
        self.note("purchase", order=self.order, lines=self.order.lines)
        self.cart = []
        if self.chance.happens(0.05):
            # They load the page again, and the shop's tag tells of the order again.
            self.now += int(self.chance.between(3_000, 60_000))
            self.note("purchase", order=self.order, lines=self.order.lines)
        self.stay("home")
        self.leave()
        return True

    def place_order(self) -> Order:
        coupon, percent = "", 0
        if self.is_sale and self.chance.happens(0.3):
            coupon, percent = SALE_COUPON, 10
        elif self.chance.happens(0.14):
            coupon = self.chance.one_of(tuple(COUPONS))
            percent = COUPONS[coupon]
        elif self.chance.happens(0.04):
            coupon = VOUCHER
        lines = tuple(_with_coupon(line, percent) for line in self.cart)
        goods = sum(line.price_cents * line.qty for line in lines)
        voucher = min(self.local(VOUCHER_CENTS), goods // 2) if coupon == VOUCHER else 0
        value = goods - voucher
        tax = round(value * self.visitor.country.tax_percent / 100)
        shipping = 0 if value >= self.local(FREE_SHIPPING_CENTS) else self.local(SHIPPING_CENTS)
        if self.chance.happens(0.1):
            shipping = self.local(EXPRESS_CENTS)
        number = f"{self.visitor.key[2:8]}-{self.chance.integer(1_000_000, 9_999_999)}"
        return Order(number, self.now, lines, voucher, tax, shipping, coupon, self.currency)

    def local(self, euro_cents: int) -> int:
        return local_cents(euro_cents, self.currency)

    # Notes

    def note(
        self,
        event_type: str,
        props: Mapping[str, object] | None = None,
        lines: tuple[Line, ...] = (),
        order: Order | None = None,
        refund: Refund | None = None,
    ) -> None:
        assert self.page is not None
        chance = self.chance
        props = dict(props or {})
        if self.person and self.person.age:
            props["user_age"] = self.person.age
        self.events.append(
            Event(
                chance.uuid(),
                self.now,
                event_type,
                self.page,
                self.person,
                self.analytics,
                self.is_cut_off,
                props,
                lines,
                order,
                refund,
            )
        )
        # No two events of a visit share a millisecond: their order is the visitor's.
        self.now += 15 + int(chance.random() * 120)


def _with_coupon(line: Line, percent: int) -> Line:
    """The ordered line: its price is what one costs after the coupon."""
    off = line.price_cents * percent // 100
    return Line(line.product, line.price_cents - off, line.variant, line.qty, off * line.qty)


def _is_same(one: Line, other: Line) -> bool:
    return one.product is other.product and one.variant == other.variant


# How long until the next visit, in days: the same day, soon, or much later.
_GAPS = Weighted([("hours", 0.34), ("days", 0.46), ("weeks", 0.2)])


def _next_visit(steps: _Walk) -> Return | None:
    chance, history = steps.chance, steps.history
    after = History(
        visits=history.visits + 1,
        # Most carts left behind are forgotten: other tab, cleared storage, expired.
        cart=() if steps.order or chance.happens(0.6) else tuple(steps.cart),
        has_account=steps.has_account,
        has_bought=history.has_bought or steps.order is not None,
        has_withdrawn=steps.analytics != steps.visitor.analytics or history.has_withdrawn,
    )
    claim = _next_claim(steps, history.claim)
    if claim:
        if claim.kind == "cancel":
            wait = chance.between(1, 30) * HOUR_MS
        else:
            wait = _days(chance, chance.between(3, 18))
        return Return(steps.now + int(wait), replace(after, cart=(), claim=claim))
    pages = sum(event.event_type == "page_view" for event in steps.events)
    likely = (
        0.75 if steps.is_shared else 0.16 if pages == 1 else 0.5 if after.cart else 0.55 if after.has_bought else 0.38
    )
    if not chance.happens(likely):
        return None
    gap = chance.pick(_GAPS)
    if gap == "hours":
        wait = chance.between(0.7, 9) * HOUR_MS
    elif gap == "days":
        wait = _days(chance, min(chance.around(2.5, 0.8), 20))
    else:
        wait = _days(chance, min(chance.around(12, 0.6), 35))
    return Return(steps.now + max(int(wait), IDLE_MS + 60_000), after)


def _next_claim(steps: _Walk, done: Claim | None) -> Claim | None:
    """What of an order will be sent back next."""
    chance = steps.chance
    if steps.order:
        if chance.happens(0.04):
            return Claim(steps.order, "cancel")
        if chance.happens(0.1):
            is_whole = len(steps.order.lines) == 1 or chance.happens(0.4)
            return Claim(steps.order, "whole" if is_whole else "part")
    if done and done.kind == "part" and steps.refund and chance.happens(0.4):
        given = steps.refund.value_cents
        return Claim(done.order, "rest", given) if given < done.order.value_cents else None
    return None


def _days(chance: Chance, days: float) -> float:
    """Whole days later, give or take three hours: people keep their time of day."""
    return max(1, round(days)) * DAY_MS + chance.between(-3, 3) * HOUR_MS
