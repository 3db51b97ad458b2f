// Makes pages live. Everything here has a way without it; the marks are data-* attributes.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);

  // Copy buttons. Without a clipboard (plain http) the text is selected instead.
  const copy = async (button) => {
    const source = one(button.dataset.copy);
    if (!source) return;
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source);
      if (!document.execCommand("copy")) return;
    }
    const label = button.getAttribute("aria-label");
    button.setAttribute("aria-label", "Copied");
    button.setAttribute("aria-pressed", "true");
    setTimeout(() => {
      button.setAttribute("aria-label", label);
      button.removeAttribute("aria-pressed");
    }, 1500);
  };

  // Times come in UTC; people live elsewhere.
  const point = (then, now) => {
    const day = (d) => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate()) / 864e5;
    const days = day(then) - day(now);
    const clock = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    if (days === 0) return `today ${clock}`;
    if (Math.abs(days) < 7) return `${then.toLocaleDateString("en-GB", { weekday: "short" })} ${clock}`;
    const options = { day: "numeric", month: "short" };
    if (then.getFullYear() !== now.getFullYear()) options.year = "numeric";
    return then.toLocaleDateString("en-GB", options);
  };
  const localise = (root) => {
    for (const time of all("time[data-at], time[data-clock]", root)) {
      const then = new Date(time.dateTime);
      if (isNaN(then)) continue;
      const text = "at" in time.dataset ? point(then, new Date()) : then.toLocaleTimeString("en-GB");
      if (time.textContent !== text) time.textContent = text;
      if (time.title) time.title = then.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
    }
  };

  // A log stays at its end until someone scrolls up.
  const following = new WeakSet();
  const follow = (log) => {
    if (following.has(log)) return;
    following.add(log);
    let atEnd = true;
    const toEnd = () => { if (atEnd) log.scrollTop = log.scrollHeight; };
    log.addEventListener("scroll", () => {
      atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
    }, { passive: true });
    new MutationObserver(toEnd).observe(log, { childList: true, subtree: true });
    toEnd();
  };

  const improve = (root) => {
    all("[data-follow]", root).forEach(follow);
    if (window.PublicKeyCredential) for (const form of all("form[data-passkey]", root)) form.hidden = false;
    localise(root);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button) copy(button);
  });

  // What a slider stands at, and tags by Enter.
  document.addEventListener("input", (event) => {
    const output = event.target.dataset?.output && document.getElementById(event.target.dataset.output);
    if (output) output.value = event.target.value;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.("[data-tags]") || event.isComposing) return;
    const value = event.target.value.trim();
    if (!value || value.endsWith(",")) return;
    event.preventDefault();
    event.target.value = `${value}, `;
  });

  // A passkey fills in its form. The server's question comes in base64, and so does the answer.
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const base64 = (buffer) => (buffer
    ? btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
    : "");
  const askPasskey = async (form) => {
    const publicKey = JSON.parse(form.dataset.options);
    publicKey.challenge = bytes(publicKey.challenge);
    for (const known of [...publicKey.allowCredentials ?? [], ...publicKey.excludeCredentials ?? []]) known.id = bytes(known.id);
    if (publicKey.user) publicKey.user.id = bytes(publicKey.user.id);
    const { rawId, response } = await navigator.credentials[form.dataset.passkey]({ publicKey });
    return JSON.stringify({
      id: base64(rawId),
      client_data: base64(response.clientDataJSON),
      attestation: base64(response.attestationObject),
      authenticator_data: base64(response.authenticatorData),
      signature: base64(response.signature),
      user_handle: base64(response.userHandle),
    });
  };
  const PASSKEY_ERRORS = {
    InvalidStateError: "This device has a passkey for your account here already.",
    NotAllowedError: "No passkey was used. Try again, or take another way.",
  };
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.passkey) return;
    event.preventDefault();
    const said = form.querySelector("[data-said]");
    said.hidden = true;
    try {
      form.elements.passkey.value = await askPasskey(form);
    } catch (error) {
      said.textContent = PASSKEY_ERRORS[error.name] ?? `The browser did not use a passkey: ${error.message}`;
      said.hidden = false;
      return;
    }
    form.submit();
  }, true);

  // A secret behind # reaches no server's log: it fills in its field and leaves the address.
  const fromFragment = () => {
    for (const field of all("[data-fragment]")) {
      const text = location.hash.slice(1);
      if (!text.startsWith(field.dataset.fragment)) continue;
      field.value = text;
      history.replaceState(null, "", location.pathname + location.search);
    }
  };
  addEventListener("hashchange", fromFragment);

  // A form is sent once.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post" || event.defaultPrevented) return;
    if (event.target.dataset.sent) return event.preventDefault();
    event.target.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of all("form[data-sent]")) delete form.dataset.sent;
    for (const button of all("button[aria-busy]")) button.removeAttribute("aria-busy");
  });

  // The list of presets fills in the form again; without script a button does.
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-resend]")) event.target.form?.requestSubmit(one("#evaluate"));
  });

  // No connection: say so, and take it back when it returns. What is gone is not asked for again.
  let toast;
  let gone = false;
  const say = (text) => {
    if (!toast) {
      toast = document.createElement("div");
      toast.className = "toasts";
      toast.setAttribute("role", "status");
      toast.append(Object.assign(document.createElement("div"), { className: "notice" }));
      toast.firstChild.dataset.state = "warn";
      document.body.append(toast);
    }
    toast.firstChild.textContent = text;
  };
  const GONE = "What this page showed is gone, or you may not see it any more.";
  const ENDINGS = { 401: "Your session ended. Reload the page to sign in again.", 403: GONE, 404: GONE };
  document.addEventListener("htmx:sse:error", ({ detail }) => {
    gone = detail?.status in ENDINGS;
    say(gone
      ? ENDINGS[detail.status]
      : `No connection to ${location.host}. What you see may be old. Trying again.`);
  });
  document.addEventListener("htmx:sse:before:connection", (event) => { if (gone) event.preventDefault(); });
  document.addEventListener("htmx:sse:after:connection", () => { toast?.remove(); toast = undefined; });

  // Keys. Single letters are off in fields, and can be turned off altogether.
  const KEYS = [
    ["Ctrl K or /", "find or run"], ["g w", "workspaces"], ["g t", "templates"], ["g p", "people"],
    ["c", "new workspace"], ["j k", "next and previous row"], ["Enter", "open the row"],
    ["s", "start or stop"], ["t", "terminal"], ["?", "this list"], ["Esc", "close"],
  ];
  const offKey = "steading.keys";
  const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode */ } };
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable], .xterm");
  const go = (href) => { const link = one(`a[href="${href}"]`); if (link) link.click(); };
  const rows = () => all("main tbody tr:has(th a)");
  const current = () => rows().find((row) => row.contains(document.activeElement));
  const move = (by) => {
    const list = rows();
    const next = list[Math.max(0, Math.min(list.length - 1, list.indexOf(current()) + by))];
    next?.querySelector("th a")?.focus();
  };

  const find = () => {
    const input = one("[data-palette]");
    const nav = one("#nav");
    if (!input) return false;
    if (nav?.popover && !input.offsetParent) nav.showPopover();
    input.focus();
    input.select();
    return true;
  };

  const list = () => {
    let dialog = one("#keys");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "keys";
      dialog.setAttribute("aria-labelledby", "keys-title");
      const header = document.createElement("header");
      const title = document.createElement("h2");
      title.id = "keys-title";
      title.textContent = "Keys";
      header.append(title);
      const body = document.createElement("div");
      body.className = "body fields";
      const facts = document.createElement("dl");
      facts.className = "kv";
      for (const [key, deed] of KEYS) {
        const dt = document.createElement("dt");
        dt.append(Object.assign(document.createElement("kbd"), { textContent: key }));
        facts.append(dt, Object.assign(document.createElement("dd"), { textContent: deed }));
      }
      const label = document.createElement("label");
      label.className = "check";
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: stored(offKey) !== "off" });
      box.addEventListener("change", () => store(offKey, box.checked ? "on" : "off"));
      label.append(box, Object.assign(document.createElement("span"), { textContent: "Single letters do something" }));
      const close = Object.assign(document.createElement("button"), { className: "button", textContent: "Close" });
      close.addEventListener("click", () => dialog.close());
      const footer = document.createElement("footer");
      footer.append(close);
      body.append(facts, label);
      dialog.append(header, body, footer);
      document.body.append(dialog);
    }
    dialog.showModal();
  };

  const ONE = {
    "/": find, "?": list, j: () => move(1), k: () => move(-1),
    c: () => go("/templates"),
    s: () => (current() ?? one("#actions"))?.querySelector("form button")?.click(),
    t: () => (current() ?? one("main"))?.querySelector('a[href*="/terminal"]')?.click(),
  };
  const GO = { w: "/workspaces", t: "/templates", p: "/people" };
  let going = false;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
      if (!event.target.closest?.(".xterm") && find()) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "?") { list(); return event.preventDefault(); }
    if (stored(offKey) === "off" || one("dialog:open, dialog:popover-open")) return;
    const deed = going ? GO[event.key] && (() => go(GO[event.key])) : ONE[event.key];
    going = !going && event.key === "g";
    if (deed) { event.preventDefault(); deed(); }
  });

  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      if (target.nodeType === 3 && target.parentElement) localise(target.parentElement.parentElement);
      for (const node of addedNodes) if (node.nodeType === 1) improve(node.parentElement ?? node);
    }
  }).observe(document.documentElement, { childList: true, characterData: true, subtree: true });
  improve(document);
  fromFragment();
})();
