import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** One import path per component: the barrel pulls what lazy parts need into the entry. */
const barrels = [
  "@mui/material",
  "@mui/icons-material",
  "@mui/material/styles/index",
  "@mui/material/colors",
].map((name) => ({
  name,
  message: "Import each component by its own path, as in '@mui/material/Button'.",
}));

const sdk = {
  group: ["matrix-js-sdk", "matrix-js-sdk/*", "@matrix-org/*"],
  message: "Only src/matrix knows the SDK: add a hook or function there.",
};

export default defineConfig([
  globalIgnores(["node_modules"]),
  js.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  reactHooks.configs.flat["recommended-latest"],
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js"] } },
    },
    rules: {
      "no-restricted-imports": ["error", { paths: barrels, patterns: [sdk] }],
      "no-console": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ["src/matrix/**", "src/testing/**"],
    rules: { "no-restricted-imports": ["error", { paths: barrels }] },
  },
  {
    files: ["eslint.config.js", "build/**"],
    languageOptions: { globals: globals.node },
    rules: { "no-console": "off" },
  },
]);
