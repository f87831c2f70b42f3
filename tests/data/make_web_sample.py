#!/usr/bin/env python3
"""Writes data-samples/web/pages.warc.gz (one gzip member a record) and more-pages.warc.zst: invented web pages with the
furniture of real ones.

Everything here was written for this project. Paragraphs are built from hand-written facts and from sentence patterns
whose slots are filled from a topic's word lists, so that a small model finds grammar and facts in it. Besides ordinary
pages there are near-duplicates, other languages, legacy charsets, spam, errors and files that are no pages.
Run from the repository root: python3 tests/data/make_web_sample.py
"""
import gzip
import hashlib
import html
import random
import subprocess
import zlib

from web_topics import CHINESE, CONNECT, EUROPEAN, PATTERNS, TOPICS

random.seed(20240501)
SITES = ["fieldnotes.example", "thequietworkshop.example", "harbourletter.example", "lowlandreview.example", "slowcraft.example"]
NAMES = ["Ada Brook", "Tomas Lind", "Mirela Costa", "Jun Park", "Olive Hart", "Piet Vos", "Salma Reza", "Ivo Kern", "Noor Haddad", "Wei Lan"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


class Writer:
    """Sentences about one topic; no pattern twice in a page."""

    def __init__(self, topic):
        self.t = topic
        self.patterns = random.sample(PATTERNS, len(PATTERNS))
        self.facts = random.sample(topic["facts"], len(topic["facts"]))
        self.last = {}

    def pick(self, key):
        choices = [w for w in self.t[key] if w != self.last.get(key)]
        self.last[key] = random.choice(choices)
        return self.last[key]

    def sentence(self):
        if self.facts and random.random() < 0.22:
            return self.facts.pop()
        if not self.patterns:
            self.patterns = random.sample(PATTERNS, len(PATTERNS))
        text = self.patterns.pop()
        for key in ("thing", "part", "tool", "person", "place", "act", "bad", "good", "time"):
            while "{" + key + "}" in text:
                text = text.replace("{" + key + "}", self.pick(key), 1)
        text = text.replace("{number}", str(random.choice([2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40])))
        return text[0].upper() + text[1:]

    def paragraph(self, low=3, high=6):
        out = [self.sentence() for _ in range(random.randint(low, high))]
        if len(out) > 2 and random.random() < 0.6:
            at = random.randrange(1, len(out))
            keep = out[at][:1] if out[at].split()[0] in ("I", self.t["name"]) else out[at][:1].lower()
            out[at] = random.choice(CONNECT) + " " + keep + out[at][1:]
        return " ".join(out)


def page_frame(site, title, body, lang="en", charset="utf-8", style=0):
    brand = site.split(".")[0].title()
    links = "".join(f'<li><a href="/{w}">{w.title()}</a></li>' for w in ("home", "archive", "topics", "about", "contact", "subscribe"))
    related = "".join(f'<li><a href="/p/{i}">{html.escape(t["title"])}</a></li>' for i, t in enumerate(random.sample(TOPICS, 4)))
    head = f'<!DOCTYPE html>\n<html lang="{lang}"><head><meta charset="{charset}"><title>{html.escape(title)} | {brand}</title>\n'
    head += '<style>body{font:16px serif} .nav li{display:inline}</style><script>window.dataLayer=[];if(1<2){track("page")}</script></head>\n'
    cookie = '<div class="cookie-banner" role="dialog"><p>We use cookies to make this site work. Read our <a href="/privacy">privacy policy</a>.</p><button>Accept all</button></div>'
    footer = f'<footer class="site-footer"><p>&copy; 2024 {brand}. All rights reserved.</p><ul><li><a href="/terms">Terms of use</a></li><li><a href="/privacy">Privacy policy</a></li></ul></footer>'
    side = f'<aside class="sidebar"><h3>Popular now</h3><ul>{related}</ul><form action="/search"><input name="q"><button>Search</button></form></aside>'
    share = '<div class="share-buttons"><a href="#">Share</a> <a href="#">Tweet</a> <a href="#">Pin it</a></div>'
    if style == 0:
        return f'{head}<body>{cookie}<header class="header"><a class="logo" href="/">{brand}</a><nav class="nav"><ul>{links}</ul></nav></header>\n<main><article class="post">{body}{share}</article></main>{side}{footer}</body></html>'
    if style == 1:
        return f'{head}<body><div id="top"><div class="menu"><ul>{links}</ul></div></div>\n<div class="wrapper"><div id="content" class="entry-content">{body}</div>{side}</div>{share}{footer}{cookie}</body></html>'
    return f'{head}<body bgcolor="#ffffff"><table width="100%"><tr><td colspan="2"><b>{brand}</b> <a href="/">Home</a> | <a href="/map">Site map</a></td></tr>\n<tr><td width="160" class="navigation"><ul>{links}</ul></td><td class="content">{body}</td></tr></table><hr><small>{footer}</small></body></html>'


def article(topic, n):
    w = Writer(topic)
    site = SITES[n % len(SITES)]
    title = random.choice(topic["titles"])
    date = f"{random.randint(1, 28)} {random.choice(MONTHS)} {random.randint(2015, 2024)}"
    body = f"<h1>{html.escape(title)}</h1>\n<p class=\"byline\">By {random.choice(NAMES)} on {date}</p>\n"
    for i in range(random.randint(3, 5)):
        if i:
            body += f"<h2>{html.escape(w.pick('heading'))}</h2>\n"
        for _ in range(random.randint(2, 4)):
            body += f"<p>{html.escape(w.paragraph())}</p>\n"
        if random.random() < 0.35:
            items = "".join(f"<li>{html.escape(w.sentence())}</li>" for _ in range(random.randint(3, 5)))
            body += f"<ul>{items}</ul>\n"
        if random.random() < 0.2:
            body += f"<blockquote><p>{html.escape(w.sentence())}</p></blockquote>\n"
    return f"https://{site}/{topic['name'].lower().replace(' ', '-')}/{n}", page_frame(site, title, body, style=n % 3)


def forum(topic, n):
    w = Writer(topic)
    title = f"Question about {w.pick('thing')} and {w.pick('part')}"
    body = f"<h1>{html.escape(title)}</h1>\n"
    openings = ["Thank you for asking.", "I had the same problem.", "That is not quite right.", "This worked for me.", "It depends.", "Let me add something.", "Here is what I would do."]
    random.shuffle(openings)
    for i in range(random.randint(4, 7)):
        user = random.choice(NAMES).split()[0].lower() + str(random.randint(1, 99))
        opening = "Hello everyone." if i == 0 else openings.pop()
        paragraphs = "".join(f"<p>{html.escape(w.paragraph(2, 4))}</p>" for _ in range(random.randint(1, 3)))
        body += f'<div class="post" id="p{i}"><div class="author"><a href="/u/{user}">{user}</a> <span class="date">{random.randint(1, 28)} {random.choice(MONTHS)} 2022</span></div><div class="message"><p>{opening}</p>{paragraphs}</div><div class="actions"><a href="#">Reply</a> <a href="#">Quote</a> <a href="#">Report</a></div></div>\n'
    return f"https://forum.{SITES[0]}/thread/{n}", page_frame(SITES[0], title, body, style=1)


def product(topic, n):
    w = Writer(topic)
    tool = w.pick("tool")
    title = f"{tool.title()} for {topic['name']}"
    rows = "".join(f"<tr><th>{k}</th><td>{v}</td></tr>" for k, v in [("Weight", f"{random.randint(1, 40) * 50} g"), ("Length", f"{random.randint(5, 60)} cm"), ("Material", random.choice(["steel", "beech wood", "brass", "linen", "clay"])), ("Made in", random.choice(["a small workshop", "the old mill", "our own yard"]))])
    body = f'<h1>{html.escape(title)}</h1><div class="price">{random.randint(5, 90)}.00</div><button class="add-to-cart">Add to cart</button>\n<div class="product-description">' + "".join(f"<p>{html.escape(w.paragraph(4, 6))}</p>" for _ in range(4)) + f'</div><h2>Measures</h2><table class="specs">{rows}</table>\n<h2>Reviews</h2>'
    for _ in range(3):
        body += f'<div class="review"><b>{random.choice(NAMES)}</b><p>{html.escape(w.paragraph(2, 4))}</p></div>'
    return f"https://shop.{SITES[4]}/product/{n}", page_frame(SITES[4], title, body, style=0)


CODE = {
    "counting words": 'def count_words(text):\n    counts = {}\n    for word in text.lower().split():\n        counts[word] = counts.get(word, 0) + 1\n    return counts',
    "finding the largest number": 'int largest(const std::vector<int>& values) {\n    int best = values[0];\n    for (int v : values)\n        if (v > best) best = v;\n    return best;\n}',
    "reading a file line by line": 'with open("notes.txt") as file:\n    for line in file:\n        print(line.rstrip())',
    "sorting by two keys": 'people.sort(key=lambda p: (p["city"], -p["age"]))',
    "testing whether a number is prime": 'bool is_prime(int n) {\n    if (n < 2) return false;\n    for (int d = 2; d * d <= n; ++d)\n        if (n % d == 0) return false;\n    return true;\n}',
}


def docs(n):
    topic = next(t for t in TOPICS if t["name"] == "Programming")
    w = Writer(topic)
    task, code = list(CODE.items())[n % len(CODE)]
    title = f"How to do it: {task}"
    rows = "".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b in [("empty input", "nothing is returned"), ("one element", "that element"), ("many elements", "the work grows with the length")])
    body = f"<h1>{title}</h1><p>{html.escape(w.paragraph())}</p><pre><code>{html.escape(code)}</code></pre><p>{html.escape(w.paragraph())}</p><h2>Cases to test</h2><table><tr><th>Input</th><th>What happens</th></tr>{rows}</table><p>{html.escape(w.paragraph())}</p><p>{html.escape(w.paragraph())}</p>"
    return f"https://docs.{SITES[1]}/guide/{n}", page_frame(SITES[1], title, body, style=1)


def listing(n):
    body = "<h1>All articles</h1>"
    for t in random.sample(TOPICS, 10):
        w = Writer(t)
        body += f'<div class="card"><h3><a href="/a/{n}">{html.escape(random.choice(t["titles"]))}</a></h3><p>{html.escape(w.sentence())}</p></div>'
    return f"https://{SITES[2]}/category/{n}", page_frame(SITES[2], "All articles", body, style=0)


def other_language(lang, data, n, charset="utf-8"):
    sentences = random.sample(data["sentences"], len(data["sentences"]))
    title = random.choice(data["titles"])
    body = f"<h1>{title}</h1>"
    while sentences:
        take, sentences = sentences[:4], sentences[4:]
        body += "<p>" + data["join"].join(s.format(thing=random.choice(data["things"]), place=random.choice(data["places"]), time=random.choice(data["times"])) for s in take) + "</p>"
    return f"https://{SITES[3]}/{lang}/{n}", page_frame(SITES[3], title, body, lang=lang, charset=charset, style=n % 3)


def nearly(page):
    """The same text with a few words changed, on another site with other furniture."""
    url, text = page
    swaps = [(" often ", " frequently "), (" small ", " little "), (" because ", " since "), (" begin ", " start ")]
    for old, new in random.sample(swaps, 2):
        text = text.replace(old, new, 2)
    return url.replace("https://", "https://mirror."), text.replace("Popular now", "Most read").replace("We use cookies", "This site uses cookies")


GZIP_PAGES = 48  # records in pages.warc.gz


def record(kind, url, block, number, extra=""):
    digest = hashlib.sha1(url.encode() + str(number).encode()).hexdigest()
    uid = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{uid}>\r\nWARC-Date: 2024-05-01T00:00:00Z\r\n"
    head += (f"WARC-Target-URI: {url}\r\n" if url else "") + f"Content-Type: {extra}\r\nContent-Length: {len(block)}\r\n\r\n"
    return head.encode() + block + b"\r\n\r\n"


def squeeze(data):
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    return z.compress(data) + z.flush()


def response(url, body, number, status="200 OK", mime="text/html; charset=utf-8", encoding=None):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {mime}\r\nServer: example\r\n"
    if encoding == "gzip":
        body = gzip.compress(body, 9, mtime=0)
        head += "Content-Encoding: gzip\r\n"
    if encoding == "chunked":
        body = b"".join(f"{len(body[i:i + 4000]):x}\r\n".encode() + body[i:i + 4000] + b"\r\n" for i in range(0, len(body), 4000)) + b"0\r\n\r\n"
        head += "Transfer-Encoding: chunked\r\n"
    else:
        head += f"Content-Length: {len(body)}\r\n"
    return record("response", url, head.encode() + b"\r\n" + body, number, "application/http; msgtype=response")


def main():
    pages = []
    for n in range(110):
        pages.append(article(TOPICS[n % len(TOPICS)], n))
    pages += [forum(TOPICS[(n * 5) % len(TOPICS)], n) for n in range(24)]
    pages += [product(TOPICS[(n * 3) % len(TOPICS)], n) for n in range(14)]
    pages += [docs(n) for n in range(10)]
    pages += [listing(n) for n in range(4)]
    pages += [nearly(pages[i]) for i in range(0, 60, 5)]
    pages += [(pages[7][0] + "?ref=copy", pages[7][1]), (pages[22][0] + "#again", pages[22][1])]
    encoded = [(u, t.encode("utf-8"), "text/html; charset=utf-8") for u, t in pages]
    for n in range(26):
        charset = "gb18030" if n % 9 == 8 else "utf-8"
        u, t = other_language("zh", CHINESE, n, charset)
        encoded.append((u, t.encode(charset), "text/html"))
    for lang, data in EUROPEAN.items():
        for n in range(4):
            charset = "windows-1252" if n == 3 else "utf-8"
            u, t = other_language(lang, data, n, charset)
            encoded.append((u, t.encode(charset), "text/html"))
    random.shuffle(encoded)
    out = [record("warcinfo", "", b"software: llmkit sample generator\r\n", 0, "application/warc-fields")]
    for i, (u, b, mime) in enumerate(encoded):
        out.append(response(u, b, i, mime=mime, encoding={3: "gzip", 5: "chunked"}.get(i % 16) if i < GZIP_PAGES else None))
    bad = [("https://spam.example/cheap", "<p>" + "buy cheap watches online best price " * 80 + "</p>", "200 OK", "text/html"),
           ("https://spam.example/lorem", "<p>Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * 12 + "</p>", "200 OK", "text/html"),
           ("https://fieldnotes.example/gone", "<h1>Not found</h1>", "404 Not Found", "text/html"),
           ("https://fieldnotes.example/empty", "", "200 OK", "text/html"),
           ("https://fieldnotes.example/logo.png", "\x89PNG not a page", "200 OK", "image/png"),
           ("https://fieldnotes.example/app", '<div id="root"></div><script src="app.js"></script><noscript>Please enable JavaScript.</noscript>', "200 OK", "text/html")]
    for i, (u, b, status, mime) in enumerate(bad):
        out.insert(5 + i * 7, response(u, b.encode("latin-1"), 1000 + i, status, mime))
    with open("data-samples/web/pages.warc.gz", "wb") as f:
        f.write(b"".join(squeeze(r) for r in out[:GZIP_PAGES]))
    rest = b"".join(out[GZIP_PAGES:])
    packed = subprocess.run(["zstd", "-19", "-q", "-c"], input=rest, capture_output=True, check=True).stdout
    with open("data-samples/web/more-pages.warc.zst", "wb") as f:
        f.write(packed)


main()
