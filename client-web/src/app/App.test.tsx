import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { App } from "./App";

test("the application has a main region", () => {
  render(<App />);
  expect(screen.getByRole("main")).toBeTruthy();
});
