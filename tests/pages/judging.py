"""What a page must be in a browser: complete, silent, without requests, and the text of strangers only text."""

# The least contrast of text that WCAG 2.1 (1.4.3, AA) permits.
CONTRAST = 4.5

LOOK = """(() => {
    const all = [...document.querySelectorAll('*')];
    const start = element => element.outerHTML.slice(0, 100);
    const color = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    const behind = element => {
        for (let at = element; at; at = at.parentElement) {
            const back = color(getComputedStyle(at).backgroundColor);
            if (back.length === 3 || back[3] > 0) return back;
        }
        return [255, 255, 255];
    };
    const faint = element => {
        const [a, b] = [light(color(getComputedStyle(element).color)), light(behind(element))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < CONTRAST;
    };
    const texts = all.filter(element => element.closest('body') && !element.closest('svg')
        && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
    const words = element => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return range;
    };
    const active = 'script,img,image,iframe,object,embed,link,form,base,video,audio,a,input,button,foreignObject,animate,set';
    return {
        injected: window.injected || null,
        active: [...document.querySelectorAll(active)].map(start),
        handlers: all.filter(element => [...element.attributes].some(({name}) => /^on|^(href|src|style)$/.test(name))).map(start),
        styles: document.querySelectorAll('style').length,
        policy: document.querySelectorAll('head > meta[http-equiv=Content-Security-Policy]').length,
        headings: document.querySelectorAll('h1').length,
        untitled: [...document.querySelectorAll('svg')].filter(svg => svg.getAttribute('aria-hidden') !== 'true'
            && !(svg.getAttribute('role') === 'img' && svg.querySelector('title').textContent)).map(start),
        plots: document.querySelectorAll('figure svg').length,
        outside: [...document.querySelectorAll('.plot > *')].filter(part => part.getBoundingClientRect().bottom
            > part.parentElement.getBoundingClientRect().bottom + 16).map(start),
        torn: texts.filter(element => /^\\d{4}-\\d\\d-\\d\\d$/.test(element.textContent.trim())
            && new Set([...words(element).getClientRects()].map(line => Math.round(line.top))).size > 1).map(start),
        headless: [...document.querySelectorAll('table')].filter(table => !table.querySelector('thead th')).length,
        widths: [document.documentElement.scrollWidth, document.documentElement.clientWidth],
        margin: getComputedStyle(document.body).margin,
        back: getComputedStyle(document.body).backgroundColor,
        faint: texts.filter(faint).map(start),
        text: document.body.textContent,
    };
})()""".replace("CONTRAST", str(CONTRAST))

# Characters that move the cursor, are invisible or change the direction of writing.
UNPRINTABLE = [*range(0x09), *range(0x0b, 0x20), *range(0x7f, 0xa0), 0xad, *range(0x200b, 0x2010), *range(0x2028, 0x202f),
               *range(0x2066, 0x206a), 0xfeff]


def problems(browser, url, width, scheme, requests, wanted):
    """Why the page at this URL is not as it must be: a list. REQUESTS has the paths that the server was asked for; the
    page must show each text of WANTED."""
    requests.clear()
    events = browser.open(url, width, scheme)
    found = browser.evaluate(LOOK)
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    said = [event["params"]["entry"]["text"] for event in events if event["method"] == "Log.entryAdded"]
    said += [str(event["params"]) for event in events
             if event["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown")]
    listed = []

    def check(good, what):
        if not good:
            listed.append(what)

    check(asked == [url], "it asks for %s" % asked[1:])
    check(len(requests) == 1, "the server was asked for %s" % requests)
    check(not said, "the console has %s" % said)
    check(not found["injected"], "a script of a stranger ran")
    check(not found["active"], "it has the elements %s" % found["active"])
    check(not found["handlers"], "it has attributes that act: %s" % found["handlers"])
    check(found["styles"] == 1 and found["margin"] == "0px", "its styles are not in force")
    check(found["policy"] == 1, "it has no Content-Security-Policy")
    check(found["headings"] == 1, "it has %d main headings" % found["headings"])
    check(not found["untitled"], "plots without a title: %s" % found["untitled"])
    check(not found["outside"], "plots larger than their place: %s" % found["outside"])
    check(not found["torn"], "days that are broken into lines: %s" % found["torn"])
    check(not found["headless"], "%d tables without headings" % found["headless"])
    check(found["widths"][0] <= found["widths"][1], "it is %d wide in a window of %d" % tuple(found["widths"]))
    check(not found["faint"], "%s: contrast under %s: %s" % (scheme, CONTRAST, found["faint"]))
    check(bright(found["back"]) == (scheme == "light"), "%s, and its background is %s" % (scheme, found["back"]))
    shown = sorted({hex(ord(character)) for character in found["text"]} & {hex(code) for code in UNPRINTABLE})
    check(not shown, "it shows the characters %s" % shown)
    for text in wanted:
        check(text in found["text"], "it does not show %r" % text)
    return listed


def bright(color):
    """Whether a color as `rgb(1, 2, 3)` is bright."""
    return sum(int(part) for part in color[color.index("(") + 1:-1].split(",")[:3]) > 3 * 128
