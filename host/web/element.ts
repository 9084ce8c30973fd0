// Elements of the page, made without a framework: a tag with classes, attributes, children; text is always text.

type Child = Node | string | undefined | false;

/** `element("p.note", {role: "status"}, "text")`. Attributes with `undefined` or `false` are left out, `true` is bare. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  selector: Tag | `${Tag}.${string}`,
  attributes: Record<string, string | number | boolean | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const [tag, ...classes] = selector.split(".") as [Tag, ...string[]];
  const made = document.createElement(tag);
  made.classList.add(...classes);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value));
  for (const child of children) if (child) made.append(child);
  return made;
}

/** Sets the text only where it differs, so that a reader of the screen is not told again. */
export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function button(
  label: string,
  kind: "main" | "plain" | "danger",
  onClick: () => void,
): HTMLButtonElement {
  const made = element(`button.${kind}`, { type: "button" }, label);
  made.addEventListener("click", onClick);
  return made;
}

let serial = 0;

/** A label above its input; `input` gets an id if it has none. */
export function field(label: string, input: HTMLElement): HTMLElement {
  input.id ||= `field-${(serial += 1)}`;
  return element("div.field", {}, element("label", { for: input.id }, label), input);
}
