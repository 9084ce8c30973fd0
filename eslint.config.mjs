// Lint rules of the project: typescript-eslint's recommended set, and what the device cannot bear.
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/", ".broome/", "build/", "dist/", "test/vectors/"] },
  ...tseslint.configs.recommended,
  {
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  {
    files: ["firmware/**/*.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...[
          "Buffer",
          "process",
          "setTimeout",
          "setInterval",
          "console",
          "TextEncoder",
          "TextDecoder",
          "structuredClone",
        ].map((name) => ({ name, message: "not there on the device" })),
      ],
      // Preloaded modules live in a read-only root: nothing at module level may change (DESIGN.md, decision 2).
      "no-restricted-syntax": [
        "error",
        {
          selector: "Program > VariableDeclaration[kind='let']",
          message: "module-level state: preloaded modules are read-only",
        },
        {
          selector: "Program > ExportNamedDeclaration > VariableDeclaration[kind='let']",
          message: "module-level state: preloaded modules are read-only",
        },
        {
          selector:
            "Program > VariableDeclaration > VariableDeclarator > NewExpression[callee.name=/^(Map|Set|WeakMap|WeakSet)$/]",
          message: "module-level state: preloaded modules are read-only",
        },
        {
          selector:
            "Program > ExportNamedDeclaration > VariableDeclaration > VariableDeclarator > NewExpression[callee.name=/^(Map|Set|WeakMap|WeakSet)$/]",
          message: "module-level state: preloaded modules are read-only",
        },
      ],
    },
  },
);
