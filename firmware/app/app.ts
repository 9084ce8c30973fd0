// The gadget's own program.

export default function app(): void {}
