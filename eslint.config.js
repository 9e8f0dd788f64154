import js from "@eslint/js";
import globals from "globals";

const rules = {
  eqeqeq: ["error", "always", { null: "ignore" }],
  "no-var": "error",
  "prefer-const": "error",
  "no-implicit-coercion": ["error", { boolean: false }],
  "no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "none" }],
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-console": ["error", { allow: ["warn", "error"] }],
};

export default [
  { ignores: ["static/vendor/", "node_modules/", ".venv/", "build/", "dist/"] },
  js.configs.recommended,
  {
    files: ["static/**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    rules,
  },
  {
    // The library knows the protocol and not the page: no document of its own.
    files: ["static/app/lib/**/*.js"],
    rules: {
      ...rules,
      "no-restricted-globals": ["error", "document", "window", "localStorage", "sessionStorage"],
    },
  },
  {
    files: ["tests/js/**/*.js", "tools/**/*.mjs", "eslint.config.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.node },
    rules: { ...rules, "no-console": "off" },
  },
];
