-- The 20 most viewed pages of each UTC day without known bots; pages viewed as often have the same rank.
-- Over the output events, sent to web.events. Without events, web.top_pages_current has the pages of each hour.
CREATE OR REPLACE VIEW web.top_pages_per_day AS
SELECT day, rank_of_day, path, page_views
FROM (
    SELECT day, path, page_views, RANK() OVER (PARTITION BY day ORDER BY page_views DESC) AS rank_of_day
    FROM (
        SELECT CAST(event_time AS DATE) AS day, path, COUNT(*) AS page_views
        FROM web.events
        WHERE page_view AND NOT bot AND path IS NOT NULL
        GROUP BY CAST(event_time AS DATE), path
    ) AS counted
) AS ranked
WHERE rank_of_day <= 20;
