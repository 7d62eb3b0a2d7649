/** Repositories without a descriptor, and pull requests that bring them one. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { get, post } from './client'
import type { components } from './schema'

type S = components['schemas']
export type OnboardingRow = S['OnboardingRow']
export type OnboardingPage = S['OnboardingList']
export type OnboardingWish = { source: string; name: string; text?: string }
export type OnboardingFilter = { status?: string; text?: string }
const BASE = '/api/catalog/v1/onboarding'

export const onboardingQuery = (f: OnboardingFilter) =>
  infiniteQueryOptions({
    queryKey: ['onboarding', f],
    queryFn: ({ pageParam }) => get<OnboardingPage>(`${BASE}/repositories`, { ...f, limit: 100, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  })
export const descriptorVerdictQuery = (text: string) =>
  queryOptions({
    queryKey: ['descriptor-verdict', text],
    queryFn: () => post<S['DescriptorVerdict']>(`${BASE}/judge`, { text }),
    placeholderData: keepPreviousData,
    gcTime: 0,
  })
export const startLook = () => post<{ run_id: string }>(`${BASE}/looks`)
export const startOnboarding = (items: OnboardingWish[]) => post<{ run_id: string }>(`${BASE}/pulls`, { items })
