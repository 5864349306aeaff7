# The dashboard.
web-overview = 总览
web-devices = 设备
web-device = 设备
web-ports = 端口
web-port = 端口
web-help = 帮助
web-about = 关于
web-search = 搜索
web-search-hint = 设备、端口、别名、MAC、地址
web-search-how = 可以输入设备名、端口名、端口别名、MAC 地址（任意写法）或 IP 地址。
web-search-nothing = 没有找到“{ $what }”。
web-search-all = 列表中查看全部 { $n } 个
web-nav = 主导航
web-path = 所在位置
web-skip = 跳到正文
web-theme = 切换明暗
web-live-on = 实时
web-live-off = 连接中断，正在重连
web-just-now = 刚刚
web-ago = { $what }前
web-since = 已持续 { $what }
web-span-seconds = { $n } 秒
web-span-minutes = { $n } 分钟
web-span-hours = { $n } 小时
web-span-days = { $n } 天
web-comma = ，
web-colon = ：
web-device-up = 正常
web-device-degraded = 采集不全
web-device-down = 无应答
web-device-unknown = 未采集
web-port-up = 已连接
web-port-down = 未连接
web-port-shut = 已关闭
web-port-unknown = 未知
web-zone-inner = 内网
web-zone-outer = 外网
web-zone-management = 管理网
web-why-unknown = 端口状态未知：设备未应答，或该端口已不存在
web-why-no-speed = 端口速率未知，无法计算利用率
web-why-no-rate = 还没有速率数据
web-why-no-rtt = 尚未测得时延
web-why-no-history = 这段时间没有数据
web-verdict-empty = 还没有设备。在 conf.d 中添加设备，或运行 netroom discover 网段。
web-verdict-starting = 正在进行首次采集…
web-verdict-ok =
    { $n ->
       *[other] 一切正常，{ $n } 台设备全部应答
    }
web-verdict-down =
    { $n ->
       *[other] { $n } 台设备无应答
    }
web-verdict-uplink =
    { $n ->
       *[other] { $n } 个上联口中断
    }
web-verdict-degraded =
    { $n ->
       *[other] { $n } 台设备采集不全
    }
web-verdict-hot =
    { $n ->
       *[other] { $n } 个端口接近跑满
    }
web-verdict-errors =
    { $n ->
       *[other] { $n } 个端口有错包
    }
web-verdict-store-low = 磁盘空间不足
web-verdict-store-full = 磁盘已满
web-verdict-store-failing = 采样数据无法写入
web-no-poll-yet = 尚未完成采集
web-last-poll = 最近采集：{ $ago }
web-last-poll-slowest = 最近采集：{ $ago } · 最慢一台用时 { $ms } ms
web-all-traffic = 全部端口流量
web-troubles = 当前问题
web-no-troubles = 没有问题：设备全部应答，没有错包，没有跑满的端口。
web-more-troubles =
    { $n ->
       *[other] 另有 { $n } 项
    }
web-trouble-uplink = 上联口未连接
web-trouble-errors = 错包 { $what }
web-trouble-hot = 利用率 { $what }
web-store-low = 磁盘剩余空间不多：最早的采样数据会提前删除。请清理磁盘，或在 [retention] 中缩短保留时间。
web-store-full =
    { $n ->
       *[other] 磁盘已满：采集照常进行，{ $n } 次采集暂存内存，有空间后自动写入。请清理数据目录所在的磁盘。
    }
web-store-failing =
    { $n ->
       *[other] 采样数据无法写入：采集照常进行，{ $n } 次采集暂存内存。原因见日志，请检查数据目录及其磁盘。
    }
web-unmeasured-lost =
    { $n ->
       *[other] 启动以来 { $n } 个采样未能保存而丢失，图中显示为缺口
    }
web-unmeasured = 没有测到的
web-unmeasured-devices =
    { $n ->
       *[other] { $n } 台设备尚未采集
    }
web-unmeasured-ports =
    { $n ->
       *[other] { $n } 个已连接端口没有速率：{ $why }
    }
web-unmeasured-unknown =
    { $n ->
       *[other] { $n } 个端口状态未知（设备无应答或端口已消失）
    }
web-uplinks = 上联口
web-no-uplinks = 没有识别出上联口。在交换机上给上联口的别名写上“上联”或 uplink 即可。
web-last-day = 近 24 小时
web-24h = 24 小时
web-changes = 最近变化
web-since-start = 自程序启动
web-no-changes = 启动以来状态没有变化。
web-change-device-up = 恢复应答
web-change-restarted = 设备重启
web-change-opened = 端口已开启，{ $what }
web-change-port-up = 已连接
web-change-port-down = 连接断开
web-change-port-shut = 被管理员关闭
web-top-in = 入流量最大
web-top-out = 出流量最大
web-top-used = 利用率最高
web-top-errors = 错包和丢弃最多
web-top-none = 还没有流量数据。
web-top-no-errors = 没有错包和丢弃。
web-all = 全部
web-in = 入
web-out = 出
web-in-max = 入峰值
web-usual = 常态
web-out-max = 出峰值
web-in-total = 入累计
web-out-total = 出累计
web-used = 利用率
web-errors = 错包
web-discards = 丢弃
web-octets = 流量（字节）
web-ucast = 单播包
web-mcast = 组播包
web-bcast = 广播包
web-speed = 速率
web-state = 状态
web-alias = 别名
web-site = 位置
web-zone = 网络
web-address = 地址
web-ports-up = 已连接端口
web-rtt = 时延
web-last = 最近采集
web-poll-took = 采集用时
web-uptime = 已运行
web-face = 面板
web-facts = 资料
web-no-devices = 还没有设备。在 conf.d 中添加设备，或运行 netroom discover 网段，本页会自动出现。
web-no-ports = 还没有端口：设备应答后会自动列出。
web-sys-name = 设备自称
web-sys-descr = 描述
web-sys-location = 放置地点
web-sys-contact = 联系人
web-sys-object = sysObjectID
web-interval = 轮询间隔
web-last-answer = 最近应答
web-booted = 启动时间
web-descr = 描述
web-duplex = 双工
web-duplex-half = 半双工
web-duplex-full = 全双工
web-admin = 管理状态
web-admin-up = 开启
web-admin-down = 关闭
web-admin-testing = 测试
web-mtu = MTU
web-mac = MAC 地址
web-if-index = ifIndex
web-if-type = ifType
web-last-change = 状态变化
web-sampled = { $what }采集
web-kinds = 图的内容
web-kind-traffic = 流量
web-kind-utilisation = 利用率
web-kind-packets = 包速率
web-kind-broadcast = 广播和组播
web-kind-errors = 错包
web-kind-discards = 丢弃
web-graphs = 日、周、月、年图
web-no-graphs = 历史数据暂时读不出来，实时数值不受影响。
web-span-day = 日图（5 分钟平均）
web-span-week = 周图（30 分钟平均）
web-span-month = 月图（2 小时平均）
web-span-year = 年图（1 天平均）
web-range = 时间范围
web-range-6h = 6 小时
web-range-1d = 1 天
web-range-7d = 7 天
web-range-31d = 31 天
web-range-1y = 1 年
web-chart-hint = 拖动放大，双击还原
web-chart-failed = 曲线读取失败，下方四张图仍可用
web-loading = 读取中…
web-counters = 计数器
web-p95 = 95 计费值
web-30-days = 近 30 天
web-filter = 筛选
web-filter-text = 文字
web-filter-hint = 端口、别名、设备、MAC
web-filter-min = 利用率不低于
web-filter-errors = 只看有错包的
web-filter-clear = 清除筛选
web-any = 不限
web-nothing-found = 没有符合条件的端口。
web-range-of = 第 { $first }–{ $last } 个，共 { $found } 个
web-pages = 分页
web-previous = 上一页
web-next = 下一页
web-speed-bps = 速率（bit/s）
web-in-bps = 入（bit/s）
web-out-bps = 出（bit/s）
web-used-percent = 利用率（%）
web-errors-pps = 错包（pps）
web-discards-pps = 丢弃（pps）
web-sampled-at = 采集时间
web-time = 时间
web-gap = 缺数原因
web-keys = 键盘
web-key-search = 搜索
web-key-overview = 总览
web-key-devices = 设备
web-key-ports = 端口
web-key-rows = 下一行、上一行；回车打开
web-key-theme = 切换明暗
web-key-help = 本页
web-marks = 符号
web-mark-up = 正常：设备应答完整，或端口已连接
web-mark-degraded = 异常：设备采集不全，或端口有错包
web-mark-down = 中断：设备无应答，或上联口断开
web-mark-nolink = 未连接：端口开启但对端没有接通
web-mark-shut = 已关闭：管理员关闭了端口
web-mark-unknown = 未知：尚未采集，或设备无应答
web-reading = 怎样看图
web-reading-in = 入流量是填充面，出流量是线，方向都以交换机端口为准。
web-reading-max = 细线是每个时间段内的峰值，粗线和面是平均值。
web-reading-p95 = 虚线是 95 计费值：百分之九十五的 5 分钟平均值低于它。
web-reading-gap = 斜线区表示没有数据，指上去可以看到原因；没有数据不画成零。
web-reading-unknown = “—”表示未知，指上去可以看到原因。
web-reading-zoom = 在端口页的曲线上拖动可以放大，双击还原。
web-about-version = 版本 { $what }
web-about-offline = 页面的全部内容都来自本程序，不访问外部网络。
web-about-api = 程序接口说明（OpenAPI）
web-about-parts = 页面使用 htmx（0BSD）和 uPlot（MIT）。
web-fail-page = 没有这个页面
web-fail-page-do = 请检查地址，或从下面的页面进入。
web-fail-method = 这个地址不能这样访问
web-fail-device = 没有名为“{ $what }”的设备
web-fail-device-do = 它可能已改名或从配置中移除。请在设备列表中查找，或用上方的搜索框。
web-fail-port = 没有端口“{ $what }”
web-fail-port-do = 它可能已消失或改名。请在设备页上查找，或用上方的搜索框。
web-fail-parameter = 参数“{ $what }”无法理解
web-fail-parameter-do = 请改正地址中的这个参数；接口说明见 /api/v1/openapi.json。
web-fail-store = 历史数据暂时读不出来
web-fail-store-do = 采集照常进行。请检查数据目录和磁盘剩余空间，然后重新打开本页。
web-fail-picture = 图没有画出来
web-fail-picture-do = 请重新打开；若仍失败，请查看日志。
web-fail-busy = 同时打开的实时页面太多
web-fail-busy-do = 页面仍可刷新查看；关闭一些页面后会恢复实时。
