-- Requests and bytes of each UTC day, by status class.
-- Over the output traffic, sent to web.traffic; its minutes, since seconds are the same requests again.
CREATE OR REPLACE VIEW web.daily_traffic AS
SELECT
    CAST(window_start AS DATE) AS day,
    status_class,
    SUM(views) AS requests,
    SUM(bytes) AS bytes
FROM web.traffic_current
WHERE window_seconds = 60
GROUP BY CAST(window_start AS DATE), status_class;
