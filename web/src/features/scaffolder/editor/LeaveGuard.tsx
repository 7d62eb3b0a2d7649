/** Asks before changes that were not proposed are lost. */
import { Button, Modal } from '@mantine/core'
import { useBlocker } from '@tanstack/react-router'

/** Another golden path is another place: only what is shown of this one changes without a question. */
type Place = { pathname: string; search: object }
const placeOf = ({ pathname, search }: Place) => `${pathname} ${'template' in search ? String(search.template) : ''}`

export function LeaveGuard({ isDirty }: { isDirty: () => boolean }) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => isDirty() && placeOf(current) !== placeOf(next),
    enableBeforeUnload: isDirty,
    withResolver: true,
  })
  if (blocker.status !== 'blocked') return null
  return (
    <Modal opened onClose={blocker.reset} title="Leave without your changes?">
      <p className="t2" style={{ margin: '0 0 16px' }}>
        They are only in this window. Propose or download them to keep them.
      </p>
      <div style={{ display: 'flex', justifyContent: 'flex-end', gap: 8 }}>
        <Button variant="default" onClick={blocker.proceed}>
          Leave
        </Button>
        <Button data-autofocus onClick={blocker.reset}>
          Stay
        </Button>
      </div>
    </Modal>
  )
}
