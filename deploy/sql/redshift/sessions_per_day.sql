-- Visits of each UTC day without known bots: how many, by how many visitors, how long, how many bounced.
-- Over the output sessions, sent to web.sessions. Visits that are still open count as far as they are known;
-- add AND sealed to leave them out.
CREATE OR REPLACE VIEW web.sessions_per_day AS
SELECT
    CAST(start_time AS DATE) AS day,
    COUNT(*) AS sessions,
    COUNT(DISTINCT visitor_id) AS visitors,
    SUM(page_views) AS page_views,
    SUM(CASE WHEN bounce THEN 1 ELSE 0 END) AS bounces,
    SUM(CASE WHEN engaged THEN 1 ELSE 0 END) AS engaged,
    AVG(duration_ms) / 1000.0 AS seconds_on_average
FROM web.sessions_current
WHERE NOT bot
GROUP BY CAST(start_time AS DATE);
