# 事件：各规则的句子，参数即证据的名称；$subject 为对象名称。
incident-finding-device-down = { $subject } 无响应（{ $address }）
incident-finding-device-silent = { $subject } 能 ping 通，但 SNMP 无响应（{ $address }）
incident-finding-device-rebooted = { $subject } 重新启动过
incident-finding-device-poll-late = { $subject } 的轮询滞后，已超过 { $value } 个轮询周期没有结果
incident-finding-port-down = 端口 { $subject } 断开（此前已连通 { $up }）
incident-finding-port-utilisation = 端口 { $subject } 利用率 { $value }，超过 { $threshold } 已达 { $span }
incident-finding-port-in-bps = 端口 { $subject } 入流量 { $value }，超过 { $threshold } 已达 { $span }
incident-finding-port-out-bps = 端口 { $subject } 出流量 { $value }，超过 { $threshold } 已达 { $span }
incident-finding-port-in-errors = 端口 { $subject } 入方向错误包 { $value }，超过 { $threshold }
incident-finding-port-out-errors = 端口 { $subject } 出方向错误包 { $value }，超过 { $threshold }
incident-finding-port-in-discards = 端口 { $subject } 入方向丢弃包 { $value }，超过 { $threshold }
incident-finding-port-out-discards = 端口 { $subject } 出方向丢弃包 { $value }，超过 { $threshold }
incident-finding-port-broadcast = 端口 { $subject } 收到广播 { $value }，超过 { $threshold }
incident-finding-port-multicast = 端口 { $subject } 收到组播 { $value }，超过 { $threshold }
incident-finding-port-flapping = 端口 { $subject } 在 { $span } 内通断 { $value } 次
incident-finding-port-speed = 端口 { $subject } 速率降为 { $value }，通常为 { $usual }
incident-finding-port-duplex = 端口 { $subject } 以 { $value } 半双工运行，可能协商失败
incident-finding-port-counter-unreliable = 端口 { $subject } 的计数器连续 { $value } 次不可信
incident-finding-port-anomaly-in = 端口 { $subject } 入流量异常：当前 { $value }，此时段通常为 { $low } 至 { $high }
incident-finding-port-anomaly-out = 端口 { $subject } 出流量异常：当前 { $value }，此时段通常为 { $low } 至 { $high }
incident-finding-port-anomaly-in-packets = 端口 { $subject } 收包速率异常：当前 { $value }，此时段通常为 { $low } 至 { $high }
incident-finding-port-anomaly-out-packets = 端口 { $subject } 发包速率异常：当前 { $value }，此时段通常为 { $low } 至 { $high }
incident-finding-port-anomaly-broadcast = 端口 { $subject } 广播占比异常：当前 { $value }，此时段通常为 { $low } 至 { $high }
incident-finding-port-anomaly-asymmetry = 端口 { $subject } 收发比例异常：当前 { $value }，此时段通常为 { $low } 至 { $high }
incident-finding-port-drop-in = 端口 { $subject } 入流量骤降：当前 { $value }，此时段通常为 { $low } 至 { $high }
incident-finding-port-drop-out = 端口 { $subject } 出流量骤降：当前 { $value }，此时段通常为 { $low } 至 { $high }
incident-finding-traffic-shift = 全网 { $changed } 个端口的流量同时偏离常态（共 { $watched } 个）
incident-finding-host-down = { $subject } 无响应（{ $address }）
incident-finding-host-unreachable = { $subject } 不可达（{ $address }），上级设备故障
incident-finding-host-lossy = { $subject } 丢包 { $loss }，超过 { $limit }
incident-finding-host-slow = { $subject } 响应时间 { $rtt }，超过 { $limit }
incident-finding-host-flapping = { $subject } 时通时断
incident-finding-service-down = 服务 { $subject } 不可用：{ $fault ->
    [refused] 连接被拒绝
    [unreachable] 网络不可达
    [timeout] 超时无应答
    [broken] 连接中断
    [tls] TLS 握手失败
    [http] 没有正常的 HTTP 应答
    [status] HTTP 状态码异常
    [text] 应答中缺少要求的文字
    [dns] DNS 应答异常
   *[other] 检查失败
 }（{ $said }）
incident-finding-service-slow = 服务 { $subject } 响应时间 { $took }，超过 { $limit }
incident-finding-certificate-expiring = { $subject } 的证书将在 { $days } 天后过期
incident-finding-monitor-blind = 监测系统自身的网络不通，暂不判断其他设备
incident-finding-trap-link-down = { $source } 报告端口 { $subject } 断开
incident-finding-trap-err-disabled = { $source } 报告已自行关闭端口 { $subject }
incident-finding-trap-cold-start = { $source } 报告 { $subject } 重新启动
incident-finding-trap-authentication-failure = 有人用错误的团体名或用户访问 { $subject }（由 { $source } 报告）
incident-finding-traps-not-received = 无法在 { $address } 接收陷阱（trap）：{ $why }
incident-finding-flows-not-received = 无法在 { $address } 接收流记录：{ $why }
incident-finding-flow-silent = { $subject } 不再发送流记录，最后一次在 { $last }
incident-finding-mirror-silent = 镜像端口 { $subject } 链路正常但没有任何流量，最后一次在 { $last }：请检查交换机上的镜像（SPAN）配置
incident-finding-mirror-down = 镜像端口 { $subject } 链路断开，看不到任何流量：请检查网线、交换机上的镜像目的端口，并确认网卡已启用（ip link set { $subject } up）
incident-finding-mirror-missing = 没有名为 { $subject } 的网卡，看不到任何流量：请检查网卡，或更正配置中的 capture.interfaces
incident-finding-mirror-refused = 无法监视镜像端口 { $subject }（{ $why }）：需要 CAP_NET_RAW 权限，在 systemd 下还须放开 AF_NETLINK 与 AF_PACKET
incident-finding-drill = 告警演练：检查告警能否送达值班人员
incident-finding-mail-not-delivered = 告警邮件未能送达
incident-finding-nobody-on-duty = 当前无人值班
incident-finding-storm = 一分钟内 { $changed } 项同时变化（共监测 { $watched } 项），合并为一个事件
incident-finding-store-failing = 采样数据无法写入磁盘
incident-finding-disk-low = 数据磁盘剩余空间不足：{ $value }
incident-finding-config-reload-failed = 配置文件有错误，未能重新加载，仍按原配置运行

# 检测：每种行为一句；$socket 为接入端口（不知道时写明），$window 为时间窗口，$sample 为部分目的地址。
incident-finding-tcp-scan = { $subject } 有扫描行为：{ $contacts } 次首次访问多数失败，如 { $sample }；接入位置 { $socket }
incident-finding-fast-scan = { $subject } 高速扫描：{ $window } 内首次访问 { $count } 次，多数无应答；接入位置 { $socket }
incident-finding-lateral = { $subject } 疑似病毒横向传播：{ $window } 内访问 { $count } 台主机的登录或共享端口，如 { $sample }；接入位置 { $socket }
incident-finding-dark-contact = { $subject } 访问无人使用的内部地址：{ $window } 内 { $count } 个，如 { $sample }；接入位置 { $socket }
incident-finding-port-scan = { $subject } 端口扫描：{ $window } 内试探 { $targets } 的 { $count } 个端口，如 { $sample }；接入位置 { $socket }
incident-finding-arp-sweep = { $subject } ARP 扫描：{ $window } 内询问 { $count } 个地址；接入位置 { $socket }
incident-finding-icmp-sweep = { $subject } ping 扫描：{ $window } 内 ping { $count } 个地址，如 { $sample }；接入位置 { $socket }
incident-finding-udp-worm = { $subject } 疑似病毒以 UDP 传播：{ $window } 内发往 { $count } 个地址，多数无应答；接入位置 { $socket }
incident-finding-spam = { $subject } 疑似群发垃圾邮件：{ $window } 内直接连接 { $count } 台邮件服务器，如 { $sample }；接入位置 { $socket }
incident-finding-dga = { $subject } 域名查询异常：{ $window } 内查询 { $count } 个不存在的域名，如 { $sample }；接入位置 { $socket }
incident-finding-dns-tunnel = { $subject } 疑似 DNS 隧道：{ $window } 内查询 { $count } 个超长或随机的域名，如 { $sample }；接入位置 { $socket }
incident-finding-flood = { $subject } 大量发包而无应答：{ $window } 内 { $count } 个，目标 { $sample }；接入位置 { $socket }
incident-finding-hog = { $subject } { $direction ->
    [out] 上传
   *[in] 下载
 }占用带宽异常：{ $rate }，占总流量 { $share }，主要是{ $class ->
    [film] 视频
    [game] 游戏
    [chat] 聊天社交
    [p2p] P2P
    [update] 系统更新
    [mail] 邮件
    [web] 网页
   *[other] 未分类流量
 }；接入位置 { $socket }
incident-finding-spoofed-source = { $subject } 伪造源地址：{ $window } 内使用 { $count } 个源地址，如 { $sample }；接入位置 { $socket }
incident-finding-rogue-dhcp = { $subject } 是未登记的 DHCP 服务器，正在分配地址；接入位置 { $socket }
incident-finding-rogue-ra = { $subject } 是未登记的 IPv6 路由器，正在发送路由通告；接入位置 { $socket }
incident-finding-dhcp-starvation = { $subject } 大量申请 DHCP 地址：{ $window } 内 { $count } 次；接入位置 { $socket }
incident-finding-arp-spoof = { $subject } 声称拥有他人地址 { $claimed }（ARP 欺骗或地址冲突）；接入位置 { $socket }
incident-finding-broadcast-storm = { $subject } 发出广播风暴或处于环路中：{ $window } 内 { $count } 帧；接入位置 { $socket }
incident-finding-password-guessing = { $subject } 反复尝试登录：{ $window } 内连接同一登录端口 { $count } 次，如 { $sample }；接入位置 { $socket }
incident-finding-p2p = { $subject } 使用 P2P 软件（仅作标记，不是病毒）；接入位置 { $socket }
# 交换机的计数器与地址表：$sample 为该端口下的设备或位置（已知部分）。
incident-finding-port-anomaly = 端口 { $subject } 下的设备疑似在扫描：收到 { $rate } 个包，平均 { $size } 字节，发出仅 { $answered }；端口下：{ $sample }
incident-finding-port-storm = 接入端口 { $subject } 收到广播 { $rate }，超过 { $threshold }；端口下：{ $sample }
incident-finding-port-loop = 端口 { $subject } 与 { $other } 疑似形成环路：收到广播 { $rate }，{ $count } 台设备在两端口间漂移，如 { $sample }
incident-finding-port-crowded = 接入端口 { $subject } 下有 { $count } 个 MAC 地址，超过 { $threshold }
incident-finding-mac-flood = 端口 { $subject } 下一次出现 { $count } 个新 MAC 地址（此前 { $usual } 个）
incident-finding-port-hog = 端口 { $subject } { $direction ->
    [in] 上传
   *[out] 下载
 } { $value }，占出口流量 { $share }；端口下：{ $sample }
incident-finding-mac-flap = { $subject } 在接入端口间漂移：{ $window }内 { $count } 次，位于 { $sample }
incident-finding-new-mac = 受监视端口 { $subject } 出现新 MAC 地址：{ $claimed }
incident-finding-zone-breach = 内外网隔离被破坏：{ $sort ->
    [mac] 设备 { $claimed } 同时出现在内外网
    [serial] 序列号 { $claimed } 同时出现在内外网
    [neighbour] { $subject } 的邻居 { $claimed } 属于另一侧网络
    [inner-address] 内网地址 { $claimed } 出现在外网
    [outer-address] 外网地址 { $claimed } 出现在内网
   *[public-address] 内网一侧访问公网地址 { $claimed }
 }；{ $sample }
incident-finding-exemption-expires = 对 { $who } 的豁免（负责人 { $owner }：{ $reason }）将于 { $until } 到期
incident-finding-block-would = 若已启用封堵，{ $subject } 将在 { $place } 被封堵（{ $case }，{ $reason }）；阻碍：{ $rails }
incident-finding-block-waiting = { $subject } 等待审批封堵，位置 { $place }（{ $case }，{ $reason }）：{ $rails }
incident-finding-block-refused = { $subject } 不能封堵（{ $case }，{ $reason }）：{ $rails }
incident-finding-block-made = { $subject } 已在 { $place } 封堵（{ $case }，{ $reason }），至 { $until }
incident-finding-block-failed = { $subject } 在 { $place } 封堵失败（{ $case }）：{ $note }
incident-finding-block-drift = { $subject } 在 { $place } 的封堵（{ $case }）已不生效：{ $note }
incident-finding-block-release-failed = { $subject } 在 { $place } 解除封堵失败（{ $case }）：{ $note }
incident-finding-block-breaker = 一小时内改为人工审批封堵：{ $reason }


# 页面。
incident-nav = 事件
incident-now = 当前事件
incident-history = 历史事件
incident-maintenance = 维护窗口
incident-freeze = 冻结期
incident-none = 当前没有未恢复的事件。
incident-nothing-found = 没有符合条件的事件。
incident-older = 更早的事件
incident-more = 另有 { $n } 个事件，请用筛选缩小范围
incident-search-hint = 设备、端口、规则
incident-severity = 级别
incident-any-severity = 全部级别
incident-severity-info = 提示
incident-severity-minor = 一般
incident-severity-major = 重要
incident-severity-critical = 严重
incident-acknowledged = 确认
incident-unacknowledged = 未确认
incident-all = 全部
incident-what = 事件
incident-affected = 受影响
incident-opened = 开始时间
incident-cleared = 恢复时间
incident-lasted = 持续
incident-subject = 对象
incident-notes = 状态
incident-root = 归并到
incident-evidence = 依据
incident-log = 时间线
incident-graph = 事发前后的曲线图
incident-quiet = 未通知
incident-unknown-port = 端口未知
incident-whole-network = 全网
incident-until = 有效期至 { $what }
incident-left = { $what } 恢复
incident-note-merged = 属于事件 #{ $what }
incident-note-acknowledged = { $what } 已确认
incident-note-flapping = 抖动
incident-note-maintenance = 维护中
incident-note-muted = 已静音
incident-note-unknown = 暂时无法判断
incident-change-opened = 发生
incident-change-reopened = 再次发生
incident-change-worsened = 加重
incident-change-updated = 变化
incident-change-acknowledged = 已确认
incident-change-unacknowledged = 确认失效
incident-change-commented = 备注
incident-change-cleared = 恢复
incident-change-stillopen = 仍未恢复
incident-level-label = 仅标记
incident-level-suspect = 可疑
incident-level-virus = 病毒
incident-level-block-worthy = 应封堵
incident-fact-said = 对方说明
incident-fact-fault = 原因
incident-fact-value = 当前值
incident-fact-threshold = 阈值
incident-fact-span = 持续时间
incident-fact-usual = 通常值
incident-fact-low = 通常下限
incident-fact-high = 通常上限
incident-fact-up = 此前连通
incident-fact-address = 地址
incident-fact-why = 原因
incident-fact-last = 最后一次
incident-fact-last-answer = 最后一次响应
incident-fact-reason = 原因
incident-fact-booted = 启动时间
incident-fact-affected = 受影响数
incident-fact-changed = 变化数
incident-fact-watched = 监测总数
incident-fact-flaps = 反复次数
incident-fact-merged = 归并到
incident-fact-failed = 失败次数
incident-fact-count = 次数
incident-fact-equal = 相同的帧
incident-fact-window = 时间窗口
incident-fact-targets = 目标数
incident-fact-port = 目的端口
incident-fact-answered = 有应答
incident-fact-sample = 部分目的地址
incident-fact-rate = 速率
incident-fact-server = 服务器
incident-fact-domain = 域名
incident-fact-claimed = 声称的地址
incident-fact-share = 占比
incident-fact-level = 程度
incident-fact-contacts = 首次访问数
incident-fact-first = 最早
incident-fact-socket = 接入位置
incident-fact-mac = MAC 地址
incident-fact-vlan = VLAN
incident-fact-size = 平均包长
incident-fact-other = 另一端口
incident-fact-class = 流量分类
incident-fact-direction = 方向
incident-fact-sort = 类别
incident-fact-who = 对象
incident-fact-owner = 负责人
incident-fact-until = 截止时间
incident-fact-behind = 位于其后
incident-act = 处理
incident-comment = 说明（必填）
incident-hours = 有效小时数（静音时必填）
incident-acknowledge = 确认
incident-release = 取消确认
incident-mute = 静音
incident-unmute = 取消静音
incident-write = 仅备注
incident-no-windows = 没有安排维护窗口。
incident-purpose = 类型
incident-target = 范围
incident-target-device = 设备 { $what }
incident-target-site = 地点 { $what }
incident-target-port = 端口 { $what }
incident-target-tag = 标签 { $what }
incident-when = 周期
incident-next = 时间
incident-why = 原因
incident-once = 一次
incident-weekly = 每周 { $what }
incident-day-1 = 周一
incident-day-2 = 周二
incident-day-3 = 周三
incident-day-4 = 周四
incident-day-5 = 周五
incident-day-6 = 周六
incident-day-7 = 周日
incident-in-force = 进行中
incident-by-configuration = 配置文件
incident-take-back = 取消
incident-plan = 安排窗口
incident-from = 开始
incident-to = 结束
incident-days = 每周重复的日子（1 至 7，逗号分隔；不填为一次）
incident-devices = 设备（可用 * ，逗号分隔）
incident-sites = 地点
incident-ports = 端口（设备/端口）
incident-tags = 标签
incident-freeze-instead = 冻结期：期间禁止自动处置（不影响通知）
incident-plan-hint = 范围全部留空表示全网。窗口期间照常记录，不发送通知；结束时通知仍未恢复的事件。
incident-bad-pattern = 范围写法有误，请检查 * 和方括号。
incident-bad-time = 时间有误：结束应晚于开始且在将来。
incident-no-comment = 请填写原因。
incident-refused-unknown = 没有这个编号的事件，请在列表中查找。
incident-refused-over = 事件已结束，只能写备注。
incident-refused-no-comment = 请写明处理情况，免得他人再问。
incident-refused-too-long = 备注超过 4000 字，请缩短。
incident-refused-past = 结束时间已过，请另选时间。
incident-refused-nothing = 事件未被确认或静默，无可撤回。
incident-rail-protected = 受保护
incident-rail-nowhere = 位置不明
incident-rail-stale = 位置信息过旧
incident-rail-not-asked = 未能向交换机核实
incident-rail-gone = 端口上已看不到它
incident-rail-other-port = 端口编号已变
incident-rail-trunk = 端口通向其他交换机
incident-rail-aggregated = 链路聚合端口
incident-rail-root-port = 通向生成树的根
incident-rail-neighbour = 端口接有网络设备
incident-rail-our-path = 我们自己的路径
incident-rail-shared = 端口另有其他主机
incident-rail-phone = 端口接有 IP 电话
incident-rail-rival = 位置不唯一
incident-rail-mode = 须由人同意
incident-rail-blast = 自动封堵超过上限
incident-rail-frozen = 冻结期
incident-rail-grace = 刚解除不久
incident-rail-drift = 端口已被改动
incident-rail-second-person = 还需另一人同意
incident-rail-no-reason = 未填写事由
incident-rail-no-hold = 没有我们的设置
incident-rail-held = 端口正被封堵
incident-note-not-set = 程序中断前尚未下发，已重新判断
incident-note-no-vlan = 交换机上没有该 VLAN，未下发
incident-note-not-made = 设备应答成功但未生效
incident-note-restarted = 交换机重启后封堵丢失
incident-note-by-hand = 有人手动改动了端口
incident-note-nothing-held = 已没有需要解除的设置
incident-note-held-by-others = 其他封堵仍占用该端口
incident-note-nothing-back = 没有需要恢复的内容
incident-note-as-before = 端口已经是原来的状态
incident-note-left-changed = 期间有人改动了端口，保持现状
incident-note-not-as-given = 解除十分钟后端口与恢复时不一致
