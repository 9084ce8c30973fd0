// Has Enter been pressed at the terminal since it was last asked? Without a terminal never.

export interface EnterKey {
  pressed(): boolean;
  close(): void;
}

export function enterKey(): EnterKey {
  const { stdin } = process;
  if (!stdin.isTTY) return { pressed: () => false, close: () => undefined };
  let pressed = false;
  const onData = () => void (pressed = true); // a terminal hands over whole lines
  stdin.on("data", onData);
  return {
    pressed() {
      const was = pressed;
      pressed = false;
      return was;
    },
    close() {
      stdin.off("data", onData);
      stdin.pause();
    },
  };
}
