import Button from "@mui/material/Button";
import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState } from "../components/EmptyState";

interface Props {
  children: ReactNode;
  /** Forgets the failure when it changes: another room may well be drawn. */
  resetOn?: unknown;
}

interface State {
  failure: Error | null;
  resetOn: unknown;
}

/** Keeps a failure in one part from emptying the page. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { failure: null, resetOn: this.props.resetOn };

  static getDerivedStateFromError(failure: unknown): Partial<State> {
    return { failure: failure instanceof Error ? failure : new Error(String(failure)) };
  }

  static getDerivedStateFromProps(props: Props, state: State): Partial<State> | null {
    return props.resetOn === state.resetOn ? null : { failure: null, resetOn: props.resetOn };
  }

  override render() {
    const { failure } = this.state;
    if (!failure) return this.props.children;
    return (
      <Failure
        failure={failure}
        onRetry={() => {
          this.setState({ failure: null });
        }}
      />
    );
  }
}

function Failure({ failure, onRetry }: { failure: Error; onRetry: () => void }) {
  const { t } = useTranslation();
  const missing = isMissingPart(failure);
  const reload = () => {
    location.reload();
  };
  return (
    <main>
      <EmptyState
        level={1}
        title={t(missing ? "app.failure.missing" : "app.failure.title")}
        text={missing ? t("app.failure.missingText") : `${t("app.failure.text")} (${failure.message})`}
        actions={
          <>
            {!missing && (
              <Button variant="outlined" onClick={onRetry}>
                {t("app.failure.retry")}
              </Button>
            )}
            <Button variant="contained" onClick={reload}>
              {t("app.failure.reload")}
            </Button>
          </>
        }
      />
    </main>
  );
}

/** A part of the program that did not come: the server no longer has it, or the browser remembers that it once did not answer. */
function isMissingPart(failure: Error): boolean {
  return /dynamically imported module|importing a module script failed/i.test(failure.message);
}
