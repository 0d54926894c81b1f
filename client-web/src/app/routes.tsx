import { Suspense } from "react";
import { Navigate, Route, Routes } from "react-router";

import { later } from "../i18n/later";
import { Frame } from "./shell/Frame";
import { patterns, paths } from "./paths";
import { SessionGate } from "./SessionGate";

const Gallery = later(() => import("../features/gallery/Gallery").then((part) => part.Gallery));

/** All screens. */
export function AppRoutes() {
  return (
    <Suspense fallback={<Frame />}>
      <Routes>
        <Route path={patterns.gallery} element={<Gallery />} />
        <Route path={`${patterns.chat}/*`} element={<SessionGate />} />
        <Route path="*" element={<Navigate to={paths.chat} replace />} />
      </Routes>
    </Suspense>
  );
}
