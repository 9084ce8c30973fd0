// Logging in with the admin token.

import { ApiError, call } from "./api.js";
import { element, field } from "./element.js";

/** Resolves when the person is in. */
export function showLogin(main: HTMLElement): Promise<void> {
  return new Promise((resolve) => {
    const token = element("input", {
      type: "password",
      autocomplete: "current-password",
      required: true,
      spellcheck: "false",
      "aria-describedby": "token-help",
    });
    const message = element("p.error", { role: "alert" });
    const form = element(
      "form.panel.login",
      {},
      element("h2", {}, "Log in"),
      field("Admin token", token),
      element(
        "p.hint",
        { id: "token-help" },
        "The server made it at its first start, and names the file it lies in each time it starts.",
      ),
      message,
      element("button.main", { type: "submit" }, "Log in"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      call("POST", "/api/login", { token: token.value.trim() }).then(
        () => resolve(),
        (error: ApiError) => {
          message.textContent = error.status === 401 ? "That is not the admin token." : error.message;
          token.select();
        },
      );
    });
    main.replaceChildren(form);
    token.focus();
  });
}
