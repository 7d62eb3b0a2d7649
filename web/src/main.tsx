import '@fontsource-variable/inter/wght.css'
import '@fontsource-variable/geist-mono/wght.css'
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import '@mantine/spotlight/styles.css'
import './theme/tokens.css'
import './theme/base.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { asApiError } from './api/errors'
import { makeRouter } from './routes'
import { cssVariablesResolver, theme } from './theme/theme'

const queryClient = new QueryClient({
  queryCache: new QueryCache({
    // A session that ended while the page was open: sign in again and come back to the same place.
    onError: (error) => {
      const here = router.state.location
      if (asApiError(error).status === 401 && here.pathname !== '/sign-in')
        void router.navigate({ to: '/sign-in', search: { next: here.href } })
    },
  }),
  defaultOptions: {
    queries: { staleTime: 5_000, retry: (n, e) => asApiError(e).retryable && n < 2, refetchOnWindowFocus: true },
  },
})
const router = makeRouter(queryClient)
const root = document.getElementById('root')
if (root)
  createRoot(root).render(
    <MantineProvider theme={theme} cssVariablesResolver={cssVariablesResolver} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <Notifications position="bottom-right" />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  )
