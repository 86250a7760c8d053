// Renders the description that this installation serves. Nothing comes from elsewhere.

const METHODS = ["get", "put", "post", "patch", "delete"];

/** Creates an element. Children are text nodes or elements, never markup. */
function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) created.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null) created.setAttribute(name, value);
  }
  created.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
  return created;
}

/** Turns text with `code` between backticks into nodes. */
function inline(text) {
  return (text ?? "").split("`").map((part, index) => (index % 2 === 1 ? element("code", {}, part) : part));
}

const paragraphs = (text) => element("div", { class: "prose" }, (text ?? "").split("\n\n").map((part) => element("p", {}, inline(part))));

const id = (...parts) => parts.join("-").replaceAll(/[^A-Za-z0-9-]+/g, "-");

/** Makes the renderer of one description. */
function renderer(doc) {
  /** Follows references. */
  function resolve(value) {
    let found = value;
    for (let hops = 0; found?.$ref && hops < 9; hops += 1) {
      const steps = found.$ref.slice(2).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
      found = steps.reduce((inner, step) => inner?.[step], doc);
    }
    return found ?? {};
  }

  const nameOf = (schema) => schema?.$ref?.split("/").at(-1);

  /** Writes the type of a schema, as a link where it has a name. */
  function typeOf(schema) {
    const name = nameOf(schema);
    if (name) return [element("a", { href: `#${id("schema", name)}` }, name)];
    if (schema.oneOf) return schema.oneOf.flatMap((one, index) => [index > 0 ? " or " : null, ...typeOf(one)]);
    if (schema.type === "array" || schema.type?.includes?.("array")) {
      const items = schema.items ? [" of ", ...typeOf(schema.items)] : [];
      return ["list", ...items, schema.type.includes("null") ? " or null" : null];
    }
    if (schema.const !== undefined) return [JSON.stringify(schema.const)];
    return [[schema.type ?? "any"].flat().join(" or ")];
  }

  /** Writes the limits of a schema. */
  function limits(schema) {
    const found = [];
    for (const name of ["format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "maxProperties", "default", "pattern"]) {
      if (schema[name] !== undefined) found.push(`${name} ${schema[name]}`);
    }
    if (schema.enum) {
      const shown = schema.enum.filter((value) => value !== null);
      found.push(shown.length > 12 ? `one of ${shown.slice(0, 6).join(", ")} and ${shown.length - 6} more` : `one of ${shown.join(", ")}`);
    }
    return found.join(" · ");
  }

  function member(name, schema, required) {
    const inner = resolve(schema);
    const rules = limits(inner);
    return element("div", {},
      element("dt", {}, element("code", {}, name), element("span", { class: "soft" }, typeOf(schema), required ? " · required" : null)),
      element("dd", {}, inline(inner.description), rules ? element("p", { class: "soft" }, rules) : null,
        !schema.$ref && inner.properties ? members(inner) : null));
  }

  function members(schema) {
    const required = schema.required ?? [];
    const rows = Object.entries(schema.properties ?? {}).map(([name, inner]) => member(name, inner, required.includes(name)));
    return rows.length > 0 ? element("dl", { class: "members" }, rows) : null;
  }

  function examples(content) {
    const found = content.examples ?? (content.example === undefined ? {} : { example: { value: content.example } });
    return Object.entries(found).map(([name, example]) => {
      const { summary, value } = resolve(example);
      return element("details", { class: "more" }, element("summary", {}, "Example: ", summary ?? name),
        element("pre", { tabindex: "0" }, JSON.stringify(value, null, 2)));
    });
  }

  function contents(body) {
    return Object.entries(body.content ?? {}).map(([type, content]) => [
      element("p", { class: "soft" }, type, " · ", typeOf(content.schema ?? {})),
      examples(content),
    ]);
  }

  function parameters(list) {
    if (list.length === 0) return null;
    const rows = list.map(resolve).map((one) => element("div", {},
      element("dt", {}, element("code", {}, one.name),
        element("span", { class: "soft" }, one.in, " · ", typeOf(one.schema ?? {}), one.required ? " · required" : null)),
      element("dd", {}, inline(one.description), element("p", { class: "soft" }, limits(resolve(one.schema ?? {}))))));
    return [element("h4", {}, "Parameters"), element("dl", { class: "members" }, rows)];
  }

  function response(status, value) {
    const answer = resolve(value);
    const headers = Object.entries(answer.headers ?? {}).map(([name, header]) => element("div", {},
      element("dt", {}, element("code", {}, name)), element("dd", {}, inline(resolve(header).description))));
    return element("div", {}, element("h4", {}, element("code", {}, status), " ", inline(answer.description)),
      headers.length > 0 ? element("dl", { class: "members" }, headers) : null, contents(answer));
  }

  /** Writes a call for a shell. */
  function curl(method, path, operation, shared) {
    const list = [...shared, ...(operation.parameters ?? [])].map(resolve);
    let url = path;
    const lines = [];
    const query = [];
    for (const one of list) {
      const value = one.example ?? one.schema?.default ?? one.schema?.examples?.[0];
      if (one.in === "path") url = url.replace(`{${one.name}}`, value ?? `{${one.name}}`);
      if (one.in === "query" && one.required) query.push(`${one.name}=${encodeURIComponent(value ?? "")}`);
      if (one.in === "header") lines.push(`-H '${one.name}: ${value ?? "…"}'`);
    }
    const content = operation.requestBody?.content?.["application/json"];
    const body = Object.values(content?.examples ?? {}).map((example) => resolve(example).value)[0];
    if (body) lines.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`);
    const address = `${location.origin}${url}${query.length > 0 ? `?${query.join("&")}` : ""}`;
    const verb = method === "get" ? "" : `-X ${method.toUpperCase()} `;
    return [`curl ${verb}'${address}'`, "-H \"Authorization: Bearer $KEY\"", ...lines].join(" \\\n  ");
  }

  function operation(method, path, found, shared, isEvent) {
    const heading = id("operation", found.operationId);
    return element("section", { class: "sheet", id: heading, "aria-labelledby": `${heading}-title` },
      element("h3", { id: `${heading}-title` }, found.summary),
      element("p", { class: "call" }, element("span", { class: `method ${isEvent ? "event" : method}` }, isEvent ? "event" : method.toUpperCase()), element("code", {}, path)),
      paragraphs(found.description),
      parameters([...shared, ...(found.parameters ?? [])]),
      found.requestBody ? [element("h4", {}, found.requestBody.required ? "Body" : "Body, optional"), contents(found.requestBody)] : null,
      isEvent ? null : element("details", { class: "more" }, element("summary", {}, "As curl"), element("pre", { tabindex: "0" }, curl(method, path, found, shared))),
      Object.entries(found.responses ?? {}).map(([status, value]) => response(status, value)));
  }

  function operations(items, isEvent) {
    return Object.entries(items).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => ({
      tag: item[method].tags?.[0] ?? "", title: item[method].summary, href: id("operation", item[method].operationId),
      node: operation(method, path, item[method], item.parameters ?? [], isEvent),
    })));
  }

  function schema(name, value) {
    const heading = id("schema", name);
    return { title: name, href: heading, node: element("section", { class: "sheet", id: heading, "aria-labelledby": `${heading}-title` },
      element("h3", { id: `${heading}-title` }, name), paragraphs(value.description),
      element("p", { class: "soft" }, typeOf(value), " ", limits(value)), members(value)) };
  }

  return function sections() {
    const all = [...operations(doc.paths ?? {}, false), ...operations(doc.webhooks ?? {}, true)];
    const groups = (doc.tags ?? []).map((tag) => ({
      title: tag.name, text: tag.description, entries: all.filter((entry) => entry.tag === tag.name),
    }));
    const schemas = Object.entries(doc.components?.schemas ?? {}).map(([name, value]) => schema(name, value));
    return [...groups, { title: "Schemas", text: "", entries: schemas }];
  };
}

function show(doc) {
  document.title = `${doc.info.title} API`;
  const groups = renderer(doc)();
  const content = document.getElementById("content");
  content.replaceChildren(
    element("h1", {}, `${doc.info.title} API `, element("span", { class: "soft" }, doc.info.version)),
    paragraphs(doc.info.description),
    ...groups.flatMap((group) => [element("h2", {}, group.title), paragraphs(group.text), ...group.entries.map((entry) => entry.node)]));
  document.getElementById("nav").replaceChildren(...groups.map((group) => element("div", {},
    element("h2", {}, group.title),
    element("ul", {}, group.entries.map((entry) => element("li", {}, element("a", { href: `#${entry.href}` }, entry.title)))))));
  // The browser looked for the target before it was there.
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function filter(text) {
  for (const item of document.querySelectorAll("#nav li")) {
    item.hidden = !item.textContent.toLowerCase().includes(text.toLowerCase());
  }
  for (const group of document.querySelectorAll("#nav > div")) {
    group.hidden = group.querySelector("li:not([hidden])") === null;
  }
}

document.getElementById("filter").addEventListener("input", (event) => filter(event.target.value));
if (window.matchMedia("(max-width: 56rem)").matches) document.getElementById("menu").open = false;
try {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  show(await answer.json());
} catch (error) {
  document.getElementById("loading").textContent = `The description did not load (${error.message}). Reload the page.`;
}
