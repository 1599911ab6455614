:work
rem Staged content into place, behind a safety copy that later attempts leave alone. Nothing is deleted. No name of
rem a file stands here: xcopy takes whole folders, whatever people call their dashboards.
set "LIVE=C:\Skyline DataMiner"
set "SAFE=%ROOT%\content\{safe}"
set "CODE=41"
>"%JOB%\output.log" echo safety copy: %SAFE%
if exist "%SAFE%\complete.txt" goto place
if not exist "%SAFE%\" md "%SAFE%"
set "PART=Applications"
call :keep
if not "%KEPT%"=="yes" goto ended
set "PART=Dashboards"
call :keep
if not "%KEPT%"=="yes" goto ended
>"%SAFE%\complete.txt" echo {job}
if not exist "%SAFE%\complete.txt" goto ended

:place
set "CODE=42"
>>"%JOB%\output.log" echo restore
rem /k would keep a staged file's attributes; /r and /h overwrite what is read-only or hidden.
xcopy "%JOB%\content" "%LIVE%" /e /i /y /h /r /k /q >>"%JOB%\output.log" 2>&1
if errorlevel 1 goto ended
set "CODE=0"
goto ended

:keep
set "KEPT=yes"
if not exist "%LIVE%\%PART%\" exit /b 0
xcopy "%LIVE%\%PART%" "%SAFE%\%PART%" /e /i /y /h /r /k /q >>"%JOB%\output.log" 2>&1
rem 1: there is no file in it.
if errorlevel 2 set "KEPT=no"
exit /b 0
