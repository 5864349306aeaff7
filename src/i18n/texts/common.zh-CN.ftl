# Words that several rooms use.
product = 网络机房
gap-timeout = 设备未应答
gap-deadline = 未在本轮期限内采集完
gap-reset = 计数器重新开始（设备重启）
gap-unreachable = 网络不可达
gap-daemon-down = 采集程序未运行
gap-absent = 设备不提供此项
gap-first = 首次采集，尚无可比数据
gap-refused = 设备拒绝了凭据
gap-malformed = 应答格式错误
gap-impossible = 增量超过端口速率，判为计数器异常
gap-ambiguous = 32 位计数器可能多次回绕
gap-not-stored = 已采集但未能写入磁盘
gap-replaced = 端口身份已变更
gap-clock-step = 采集服务器的时钟被调整
