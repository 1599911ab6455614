-- Durations begin anew: what was noted so far counts steps that found their work done already, and those that a
-- restart of the process cut in two. From now on a fixed number is kept of each cluster and action.
DELETE FROM durations;
